import { readFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { layerkitMain } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { output } from "./oracle/run.js";
import { scratch } from "./oracle/scratch.js";

const page = readFileSync(fileURLToPath(new URL("../../docs/reads-and-writes.md", import.meta.url)), "utf8");
/** Commands and what they print, in order. */
const steps = [...page.matchAll(/```sh\n([\s\S]*?)```\n(?:```text\n([\s\S]*?)```)?/g)].map(
  ([, commands = "", printed = ""]) => ({ commands, printed }),
);

const missing = lacking("root", "mounts", "runc", "bash", "perl", "xfs_io", "getfattr", "fincore");
const mark = "@@ end of step";

test.skipIf(missing)(
  "every command of docs/reads-and-writes.md prints what stands below it",
  { timeout: 90_000 },
  async () => {
    await using directory = await scratch();
    const script = steps.flatMap(({ commands }) => [commands, `echo '${mark}'`]).join("\n");
    const said = `${await output("bash", ["-euc", `${cleanUp}\n${script}`], await place(directory.path))}\n`;
    const printed = said.split(`${mark}\n`).map(timeless);
    expect(steps.length).toBeGreaterThan(15);
    for (const [index, { commands, printed: promised }] of steps.entries()) {
      expect.soft(printed[index], commands).toBe(timeless(promised));
    }
  },
);

const cleanUp = `trap '{ kill %1; wait %1; umount deep/merged meta/merged redirect/merged; } 2> /dev/null || :' EXIT`;

/** A directory to work in, and a `layerkit` on PATH with a data root there. */
async function place(cwd: string) {
  const bin = join(cwd, "bin");
  await mkdir(bin);
  const root = `--root '${join(cwd, "root")}'`;
  // serve listens on a socket of its own; the other commands find it by the root.
  const listen = `[ "$1" = serve ] && set -- -H 'unix://${join(cwd, "s.sock")}' "$@"`;
  const command = `#!/bin/sh\n${listen}\nexec '${process.execPath}' '${layerkitMain}' ${root} "$@"\n`;
  await writeFile(join(bin, "layerkit"), command);
  await chmod(join(bin, "layerkit"), 0o755);
  return { cwd, env: { PATH: `${bin}:${process.env.PATH}` } };
}

/** Times are those of the machine that wrote the page. */
function timeless(text: string): string {
  return text.replace(/ +\d+ ms/g, " … ms");
}
