import { Command } from "commander";
import { report } from "../failure.js";

export function tourCommand(): Command {
  return new Command("tour")
    .description("walk through a real image, layer by layer, and see what a container does to it")
    .argument("[image.tar]", "a docker archive or OCI layout (default: a sample of this machine's programs)")
    .action(async (archive: string | undefined, _options: object, command: Command) => {
      try {
        const { runTour } = await import("../tour/index.js");
        process.exitCode = await runTour(archive);
      } catch (error) {
        process.exitCode = report(error, { debug: command.optsWithGlobals<{ debug?: boolean }>().debug ?? false });
      }
    });
}
