import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drivers, TestRoot } from "./store.test.tools.js";
import { acknowledged, expectWhole, idsIn } from "./whole.test.tools.js";

const victim = new URL("./kill.test.victim.js", import.meta.url).pathname;
const run = (program: string, ...words: string[]) => execFileSync(program, words, { stdio: "pipe" });

const skipped = whyNot();
if (skipped) console.log(`power-cut tests skipped: ${skipped}`);

function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return "loop devices take root";
  if (!drivers.includes("overlay2")) return "overlay2 does not work here";
  const missing = ["mkfs.xfs", "mkfs.ext4"].find((program) => !fs.existsSync(join("/usr/sbin", program)));
  return missing && `there is no ${missing}`;
}

/**
 * The data root is on a disk of its own, a file on XFS. While operations run, that file is cloned in one step: what
 * has reached the disk by then is what a power cut leaves, and memory of it is gone.
 */
describe.skipIf(skipped)("a power cut", () => {
  let dir: string;
  const at = (...names: string[]) => join(dir, ...names);
  beforeAll(() => {
    dir = fs.mkdtempSync("/dev/shm/power-cut-");
    for (const name of ["host", "disk", "cut"]) fs.mkdirSync(at(name));
    run("truncate", "-s", "2G", at("host.img"));
    run("mkfs.xfs", "-q", at("host.img"));
    run("mount", "-o", "loop", at("host.img"), at("host"));
  });
  afterAll(() => {
    run("umount", "-l", at("host"));
    fs.rmSync(dir, { recursive: true, force: true });
  });

  /** @returns what has to be there: acknowledged before the cut, and not about to be taken back while it was made */
  async function cutAfter(lines: number): Promise<string[]> {
    const child = spawn(process.execPath, [victim, at("disk"), "overlay2"], { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    let cut: string | undefined;
    child.stdout.on("data", (text) => {
      said += text;
      if (cut !== undefined || said.split("\n").length <= lines) return;
      cut = said;
      run("cp", "--reflink=always", at("host", "disk.img"), at("host", "cut.img"));
      child.kill("SIGKILL");
    });
    await once(child, "close");
    run("umount", "-l", at("disk"));
    const { dropped } = acknowledged(said.split("\n"));
    return [...acknowledged(cut!.split("\n")).there].filter((id) => !dropped.has(id));
  }

  test.for([
    ["ext4", 3],
    ["ext4", 17],
    ["xfs", 6],
    ["xfs", 24],
  ] as const)(
    "on %s, after %i steps: nothing acknowledged is lost, nothing half is listed",
    {
      timeout: 60_000,
    },
    async ([type, lines]) => {
      run("truncate", "-s", "400M", at("host", "disk.img"));
      run(`mkfs.${type}`, "-q", at("host", "disk.img"));
      run("mount", "-o", "loop", at("host", "disk.img"), at("disk"));
      const kept = await cutAfter(lines);
      run("mount", "-o", "loop", at("host", "cut.img"), at("cut"));
      try {
        const root = TestRoot.at(at("cut"), "overlay2");
        const store = await root.open();
        await expectWhole(root, store);
        expect(kept.filter((id) => !idsIn(store).has(id))).toEqual([]);
        await root.closeAll();
      } finally {
        run("umount", "-l", at("cut"));
        for (const name of ["disk.img", "cut.img"]) fs.rmSync(at("host", name));
      }
    },
  );
});
