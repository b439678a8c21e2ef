import { mkdirSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { check, readRoot, repair } from "../../src/doctor/index.js";
import { diskFacts } from "../oracle/disk-facts.js";
import { Dockerd } from "../oracle/dockerd.js";
import { lacking } from "../oracle/programs.js";
import { firstOf } from "./damages.js";
import { type DockerRoot, dockerRoot } from "./docker-root.js";
import { RootAt } from "./root-at.js";

const why = lacking("root", "mounts", "loop", "dockerd", "docker", "containerd", "runc", "mkfs.xfs", "tar");
const names = ["ran", "upper", "fresh"];

/** What `docker diff` says of each container, sorted: dockerd walks in another order now and then. */
async function diffs(dockerd: Dockerd): Promise<string[][]> {
  return await Promise.all(names.map(async (name) => (await dockerd.docker("diff", name)).split("\n").sort()));
}

/** All but the times of what is made anew. */
function facts(directory: string): string[] {
  const timeless = /^(\S+ \d+ \d+ \d+ \d*) (?:\d+|now)/;
  return diskFacts(directory, Date.parse("2000-01-01")).map((line) => line.replace(timeless, "$1"));
}

describe.skipIf(why).for(firstOf(["overlay2", "overlay", "vfs"]))("containers of dockerd with %s", (driver) => {
  let root: DockerRoot;
  beforeAll(async () => {
    root = await dockerRoot(driver);
  }, 180_000);
  afterAll(() => root?.[Symbol.asyncDispose]());

  const mended = async (at: RootAt, kinds: readonly string[]) => {
    const found = check(await readRoot(at.path)).map(({ kind }) => kind);
    expect(found.sort()).toEqual([...kinds].sort());
    const { left } = await repair(at.path, { driver, sources: [], tell: async () => {} });
    expect(left).toEqual([]);
    expect(check(await readRoot(at.path))).toEqual([]);
  };

  test("have their init layers back as dockerd makes them, and docker diff is as before", {
    timeout: 120_000,
  }, async () => {
    const at = new RootAt(await root.copy(), driver);
    const inits = names.map((name) => at.container(name));
    const before = inits.map(({ initUpper }) => facts(initUpper));
    expect(before.flat().some((line) => line.startsWith("etc/mtab "))).toBe(true);
    const said = await (async () => {
      await using dockerd = await Dockerd.start(at.path, { driver });
      return await diffs(dockerd);
    })();
    const [ran, upper, fresh] = inits;
    rmSync(ran!.init, { recursive: true });
    rmSync(upper!.initUpper, { recursive: true });
    rmSync(fresh!.initUpper, { recursive: true });
    mkdirSync(fresh!.initUpper, 0o755);
    const tree = { overlay2: "diff-missing", overlay: "upper-missing", vfs: "init-directory-missing" }[driver];
    await mended(at, ["init-directory-missing", tree, "init-empty"]);
    expect(inits.map(({ initUpper }) => facts(initUpper))).toEqual(before);

    await using dockerd = await Dockerd.start(at.path, { driver });
    expect(await diffs(dockerd)).toEqual(said);
    await dockerd.docker("start", "--attach", "fresh");
    for (const name of ["ran", "upper"]) await dockerd.docker("start", "--attach", name);
    expect(await diffs(dockerd)).toEqual(said);
  });

  test("that lost what they had written begin anew, with no difference from their image", {
    timeout: 120_000,
  }, async () => {
    const at = new RootAt(await root.copy(), driver);
    const ran = at.container("ran");
    rmSync(ran.mount, { recursive: true });
    rmSync(ran.init, { recursive: true });
    await mended(at, ["container-directory-missing", "init-directory-missing"]);
    await using dockerd = await Dockerd.start(at.path, { driver });
    expect(await dockerd.docker("diff", "ran")).toBe("");
    await dockerd.docker("start", "--attach", "ran");
    expect((await diffs(dockerd))[0]).toContain("A /written");
  });
});
