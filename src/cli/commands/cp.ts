import { Command } from "commander";
import type { CopyOptions } from "../copy/place.js";
import { WrongUsage } from "../failure.js";
import { talking } from "../session.js";

export function cpCommand(): Command {
  return new Command("cp")
    .description("copy files between a container and here; - is a tar on standard input or output")
    .argument("<source>", "CONTAINER:PATH, PATH or -")
    .argument("<target>", "CONTAINER:PATH, PATH or -")
    .option("-a, --archive", "keep owners")
    .option("-L, --follow-link", "copy what a symbolic link at the source points to")
    .action(
      talking<CopyOptions>(async (session) => {
        const [source = "", target = ""] = session.args;
        const from = inContainer(source);
        const to = inContainer(target);
        if (from && to) throw new WrongUsage("copying between containers is not offered: copy to a pipe and from it");
        if (from) return await (await import("../copy/copy-out.js")).copyOut(session, from, target);
        if (to) return await (await import("../copy/copy-in.js")).copyIn(session, source, to);
        throw new WrongUsage("one of the two must be CONTAINER:PATH");
      }),
    );
}

/** `CONTAINER:PATH` taken apart. What begins with `/` or `.` is a local path, colon or not. */
function inContainer(text: string): { container: string; path: string } | undefined {
  const at = text.indexOf(":");
  if (at <= 0 || text.startsWith("/") || text.startsWith(".")) return undefined;
  return { container: text.slice(0, at), path: text.slice(at + 1) };
}
