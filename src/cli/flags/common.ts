import { type Command, Option } from "commander";

/** Options of create and run that are about the request, not about the container. */
export function addMakingOptions(command: Command): Command {
  return command
    .option("--name <name>", "name of the container")
    .option("--platform <os/arch>", "platform the image must have")
    .option("-q, --quiet", "do not show how a pull goes")
    .option("--cidfile <file>", "write the container's id to a new file")
    .addOption(
      new Option("--pull <when>", "fetch the image first").choices(["missing", "always", "never"]).default("missing"),
    );
}
