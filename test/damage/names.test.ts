import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Reclaimed } from "../../src/doctor/index.js";
import { Dockerd } from "../oracle/dockerd.js";
import { layerkitMain } from "../oracle/layerkitd.js";
import { lacking } from "../oracle/programs.js";
import { run } from "../oracle/run.js";
import { app, child, type DockerRoot, dockerRoot } from "./docker-root.js";
import { RootAt } from "./root-at.js";

const why = lacking("root", "mounts", "loop", "dockerd", "docker", "containerd", "runc", "mkfs.xfs", "tar");
const again = "layerkit/sample:again";

describe.skipIf(why)("names that a root of dockerd has lost", () => {
  let root: DockerRoot;
  let at: RootAt;
  let ids: Record<string, string>;
  beforeAll(async () => {
    root = await dockerRoot("overlay2");
    const whole = new RootAt(root.path, "overlay2");
    ids = Object.fromEntries([app, child].map((name) => [name, whole.image(name)]));
  }, 120_000);
  afterAll(() => root?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    at = new RootAt(await root.copy(), "overlay2");
  });

  const layerkit = async (...args: string[]) => {
    const { status, stdout, stderr } = await run(process.execPath, [layerkitMain, "--root", at.path, ...args]);
    expect({ status, stderr }).toEqual({ status: expect.any(Number), stderr: expect.not.stringContaining("    at ") });
    return { status, lines: stdout.split("\n").filter(Boolean) };
  };
  const called = (id: string | undefined, name: string, from: string) =>
    expect.stringMatching(new RegExp(`call image ${id?.slice(0, 12)} ${name} again, as ${from}$`));
  const inDockerd = async () => {
    await using dockerd = await Dockerd.start(at.path);
    const text = await dockerd.docker("images", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}");
    return text.split("\n").sort();
  };
  const listed = (...names: [name: string, of: string][]) =>
    names.map(([name, of]) => `sha256:${ids[of]} ${name}`).sort();

  test("come back as containers have them; what they do not tell comes back from another root", async () => {
    at.write(at.tags, "");
    const { status, lines } = await layerkit("repair", "--no-fetch");
    expect(status).toBe(0);
    expect(lines).toContainEqual(called(ids[app], app, "container (ran|fresh) calls it"));
    expect(lines).toContainEqual(called(ids[child], child, "container upper calls it"));
    expect(lines.filter((line) => /nameless|disputed|again:/.test(line))).toEqual([]);

    at.write(at.tags, '{"Repositories":');
    const dry = await layerkit("repair", "--no-fetch", "--dry-run", "--from", root.path);
    expect(dry.lines).toContainEqual(called(ids[app], again, `data root ${root.path} has it`));
    expect(at.read(at.tags)).toBe('{"Repositories":');
    const more = await layerkit("repair", "--no-fetch", "--from", root.path);
    expect(more.lines.map((line) => line.replace("done", "would"))).toEqual(expect.arrayContaining(dry.lines));
    expect(await inDockerd()).toEqual(listed([app, app], [again, app], [child, child]));
  });

  test("come back from an archive; what no one calls is told as nameless, and where it came from", async () => {
    for (const name of ["ran", "fresh", "upper"]) {
      at.edit(at.container(name).config, (config) => {
        (config.Config as { Image: string }).Image = String(config.Image);
      });
    }
    // As a pull would have recorded them.
    const cache = join(at.images, "distribution/v2metadata-by-diffid/sha256");
    mkdirSync(cache, { recursive: true });
    for (const { entry } of at.layers(child)) {
      const diffID = at.read(join(entry, "diff"));
      const record = [{ Digest: diffID, SourceRepository: "docker.io/layerkit/x", HMAC: "" }];
      at.write(join(cache, diffID.slice("sha256:".length)), JSON.stringify(record));
    }
    at.remove(at.tags);
    const before = await layerkit("repair", "--no-fetch");
    expect(before.status).toBe(0);
    // The other was made upon it: as with images of a build, that one has a name is not to be expected of it.
    expect(before.lines.filter((line) => line.startsWith("nameless: "))).toEqual([
      expect.stringMatching(
        new RegExp(
          `image ${ids[child]?.slice(0, 12)}: container upper keeps it; its layers are in docker.io/layerkit/x;`,
        ),
      ),
    ]);

    at.remove(at.tags);
    const { lines } = await layerkit("repair", "--no-fetch", "--from", root.archive, "--format", "json");
    const told = lines.map((line) => JSON.parse(line)).filter(({ Step }) => Step === "restore-names");
    expect(told.map(({ Name, Image, Outcome }) => [Name, Image, Outcome]).sort()).toEqual([
      [child, `sha256:${ids[child]}`, "done"],
      [app, `sha256:${ids[app]}`, "done"],
    ]);
    expect(await inDockerd()).toEqual(listed([app, app], [child, child]));
  });

  test("are nobody's where two images are called so", async () => {
    at.remove(at.tags);
    at.edit(at.container("upper").config, (config) => ((config.Config as { Image: string }).Image = app));
    const { lines } = await layerkit("repair", "--no-fetch");
    expect(lines).toContainEqual(
      expect.stringMatching(
        new RegExp(`^disputed: ${app}: image \\w{12} as container \\w+ calls it, image .*layerkit tag`),
      ),
    );
    expect(JSON.parse(at.read(at.tags))).toEqual({ Repositories: {} });
  });

  test("are told of when dockerd has begun a new list, and come back where that is asked for", async () => {
    at.remove(at.tags);
    expect(await inDockerd()).toEqual(listed(["<none>:<none>", child]));
    expect(JSON.parse(at.read(at.tags))).toEqual({ Repositories: {} });
    const check = await layerkit("check");
    expect(check).toEqual({ status: 0, lines: expect.arrayContaining([expect.stringContaining("[tags-lost]")]) });
    const reclaim = ["reclaim", "--containers", "--images", "--dry-run", "--format", "json"];
    const kinds = async () => {
      const { status, lines } = await layerkit(...reclaim);
      const { Items, Refused } = JSON.parse(lines.join("")) as Reclaimed;
      return { status, images: Items.filter(({ Kind }) => Kind === "image").length, refused: Refused.length };
    };
    expect(await kinds()).toEqual({ status: 1, images: 0, refused: 1 });
    const alone = await layerkit("repair", "--no-fetch");
    expect(alone).toEqual({ status: 0, lines: expect.arrayContaining([expect.stringContaining("repair --names")]) });
    expect(JSON.parse(at.read(at.tags))).toEqual({ Repositories: {} });

    const first = await layerkit("repair", "--no-fetch", "--names");
    expect(first.lines).toContainEqual(called(ids[child], child, "container upper calls it"));
    expect((await layerkit("check")).lines).toEqual([
      expect.stringMatching(/^Nothing is wrong/),
      "1 thing that repairs have removed is kept: layerkit repair --list.",
    ]);
    expect(await inDockerd()).toEqual(listed([app, app], [child, child]));
    expect(await kinds()).toEqual({ status: 0, images: 0, refused: 0 });
    at.remove(at.tags);
    expect(await kinds()).toEqual({ status: 1, images: 0, refused: 1 });
    at.write(at.tags, `{"Repositories":{"x":{"x:1":"sha256:${ids[app]}"}}}`);
    expect(await kinds()).toEqual({ status: 0, images: 1, refused: 0 });
    await layerkit("repair", "--no-fetch", "--names");
    expect((await layerkit("repair", "--no-fetch", "--names", "--from", root.path)).lines).toEqual([
      expect.stringMatching(/^Nothing is wrong/),
    ]);
    expect(existsSync(join(at.path, "layerkit-quarantine"))).toBe(true);
    expect(readFileSync(at.tags, "utf8")).not.toContain(again);
  });
});
