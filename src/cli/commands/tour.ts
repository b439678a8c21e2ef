import { Command } from "commander";
import { alone } from "../session.js";

export function tourCommand(): Command {
  return new Command("tour")
    .description("walk through a real image, layer by layer, and see what a container does to it")
    .argument("[image.tar]", "a docker archive or OCI layout (default: a sample of this machine's programs)")
    .action(
      alone(async ({ args: [archive], settings: { driver }, interrupt }) => {
        const { runTour } = await import("../tour/index.js");
        const options = { ...(archive !== undefined && { archive }), ...(driver !== undefined && { driver }) };
        process.exitCode = await runTour({ ...options, signal: interrupt.stop });
      }),
    );
}
