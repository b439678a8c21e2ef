import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { until } from "../../test/oracle/until.js";
import { pipe, reap, type StandardStream, startProgram } from "./index.js";

const dir = fs.mkdtempSync(join(tmpdir(), "start-"));
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

/** Its exit status; what it wrote is in the file `out`. */
async function ended(script: string, streams?: readonly StandardStream[], ...args: string[]): Promise<number> {
  const out = fs.openSync(join(dir, "out"), "w");
  const pid = startProgram("sh", ["-c", script, "sh", ...args], streams ?? ["ignore", out, out]);
  fs.closeSync(out);
  let exitCode: number | undefined;
  await until(() => {
    exitCode = reap(pid)?.exitCode;
    return exitCode !== undefined;
  });
  return exitCode!;
}

const said = () => fs.readFileSync(join(dir, "out"), "utf8");

test("a program has its arguments, the environment and the directory of this process, and its end is told", async () => {
  process.env.LAYERKIT_START = "é=1";
  try {
    expect(await ended('printf "%s|" "$@" "$LAYERKIT_START" "$PWD"; exit 7', undefined, "a b", "", "ö")).toBe(7);
  } finally {
    delete process.env.LAYERKIT_START;
  }
  expect(said()).toBe(`a b||ö|é=1|${process.cwd()}|`);
  expect(await ended("kill -9 $$")).toBe(137);
});

test("it has its standard streams, and nothing that this process opened", async () => {
  const own = fs.openSync(join(dir, "own"), "w");
  const ends = pipe();
  fs.writeSync(ends.write, "in\n");
  fs.closeSync(ends.write);
  const out = fs.openSync(join(dir, "streams"), "w");
  expect(await ended("cat; echo err >&2; ls -l /proc/$$/fd | grep -c /own", [ends.read, out, out])).toBe(1);
  for (const fd of [own, ends.read, out]) fs.closeSync(fd);
  expect(fs.readFileSync(join(dir, "streams"), "utf8")).toBe("in\nerr\n0\n");
  expect(await ended("cat; ls -l /proc/$$/fd/0")).toBe(0);
  expect(said()).toContain("/dev/null");
});

test("signals that this process ignores or blocks it does not", async () => {
  // Node ignores SIGPIPE, and who starts a program in the shell's way hands that on.
  expect(await ended("exec grep -E '^Sig(Blk|Ign)' /proc/self/status")).toBe(0);
  expect(said().replaceAll(/\s+/g, " ")).toBe("SigBlk: 0000000000000000 SigIgn: 0000000000000000 ");
});

test("one that is not there is told", () => {
  expect(() => startProgram("layerkit-no-such-program", [], [])).toThrow(/^ENOENT: .*'layerkit-no-such-program'/);
});
