import { Command } from "commander";
import { Hangups } from "../serve/hangups.js";
import { alone } from "../session.js";
import { addCollecting, addGlobals } from "../settings.js";

export function serveCommand(): Command {
  return addCollecting(addGlobals(new Command("serve")))
    .description("serve the Docker Engine API until told to stop; SIGHUP reloads the configuration")
    .option("--validate", "check the configuration, and end")
    .action(
      alone<{ readonly validate?: boolean }>(
        async (given) => {
          using hangups = new Hangups();
          const { serveHere, validate } = await import("../serve/serve.js");
          await (given.options.validate ? validate(given) : serveHere({ ...given, hangups }));
        },
        { uncaught: ["SIGHUP"] },
      ),
    );
}
