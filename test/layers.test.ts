import { mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { RootAt } from "./damage/root-at.js";
import { Dockerd } from "./oracle/dockerd.js";
import { Layerkitd, layerkitMain } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { rawImage } from "./oracle/raw-image.js";
import { rawTar } from "./oracle/raw-tar.js";
import { run } from "./oracle/run.js";
import { loopDisk } from "./oracle/scratch.js";

const skip = lacking("root", "mounts", "loop", "dockerd", "docker 28");

const file = (name: string) => ({ name, content: name.repeat(1000) });
const base = rawTar([file("a")]);
const images = [
  rawImage({ tag: "one:1", layers: [base, rawTar([file("b")]), rawTar([file("c")])] }),
  rawImage({ tag: "two:1", layers: [base, rawTar([file("d")])] }),
];

async function fill(daemon: Dockerd | Layerkitd): Promise<void> {
  for (const input of images) expect((await daemon.tryDocker(["load"], { input })).status).toBe(0);
  await daemon.docker("create", "--network", "none", "--name", "box", "one:1", "x");
}

interface Row {
  readonly Name: string;
  readonly Directory: string;
  readonly Use: string;
  readonly ChainID?: string;
  readonly Images: string[];
  readonly Containers: string[];
}

function commandOn(root: string) {
  const layerkit = (...args: string[]) => run(process.execPath, [layerkitMain, "--root", root, "layers", ...args]);
  const rows = async (...args: string[]) => {
    const ran = await layerkit("--format", "json", ...args);
    expect(ran).toMatchObject({ status: 0 });
    return ran.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Row);
  };
  return { layerkit, rows };
}

const drivers = ["overlay2", "overlay"] as const;

describe.skipIf(skip)("layerkit layers", () => {
  test.for(drivers)(
    "tells of each of dockerd's directories whose it is, with %s",
    { timeout: 60_000 },
    async (driver) => {
      await using disk = await loopDisk("ext4", "500M");
      const root = join(disk.path, "root");
      const { layerkit, rows } = commandOn(root);
      const graph: Record<string, Record<string, string>> = {};
      {
        await using daemon = await Dockerd.start(root, { driver });
        await fill(daemon);
        for (const name of ["one:1", "two:1", "box"]) {
          graph[name] = JSON.parse(await daemon.docker("inspect", "--format", "{{json .GraphDriver.Data}}", name));
        }
        const live = await layerkit();
        expect(live.stderr).toMatch(/is in use by a running dockerd \(process \d+\): it is read as it is now/);
      }
      const all = await rows();
      expect(all.map(({ Use }) => Use)).toEqual(["layer", "layer", "layer", "layer", "init", "container"]);
      const top = (name: string) => graph[name]?.UpperDir ?? graph[name]?.RootDir;
      const bottoms = all.filter(({ Images }) => Images.length === 2);
      expect(bottoms.map(({ Images, Containers }) => [Images, Containers])).toEqual([[["one:1", "two:1"], ["box"]]]);
      expect(all.find(({ Directory }) => Directory === top("two:1"))).toMatchObject({
        Images: ["two:1"],
        Containers: [],
      });
      expect((await rows("two:1")).map(({ Directory }) => Directory)[0]).toBe(top("two:1"));
      // The whole stack of a container, as dockerd has it.
      const own = (await rows("box")).map(({ Directory }) => Directory);
      expect(own[0]).toBe(top("box"));
      const below = driver === "overlay2" ? (graph.box?.LowerDir ?? "").split(":") : own.slice(1);
      expect(own.slice(1)).toEqual(below);
      // Back: from paths and their parts to names.
      const place = top("box") ?? "";
      const id = basename(dirname(place));
      for (const path of [place, `${place}/etc`, `${driver}/${id}/diff`, `/${driver}/${id}`.slice(1), id]) {
        expect(await rows(path), path).toMatchObject([{ Use: "container", Containers: ["box"] }]);
      }
      expect((await rows(id.slice(0, 12))).map(({ Use }) => Use)).toEqual(["init", "container"]);
      if (driver === "overlay2") {
        const link = readFileSync(join(root, driver, basename(dirname(top("two:1") ?? "")), "link"), "utf8");
        expect(await rows(`l/${link}`)).toMatchObject([{ Images: ["two:1"] }]);
      }
      expect(await layerkit("nothing")).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/^layerkit: "nothing" names no image, container or directory of layers in .*\n$/),
      });
      mkdirSync(join(root, driver, "f".repeat(64), "diff"), { recursive: true });
      expect((await rows()).at(-1)).toMatchObject({ Use: "unused", Name: "f".repeat(64) });
      const tree = await layerkit("--format", "tree");
      expect(tree.stdout).toMatch(/^layer [0-9a-f]{12} in \S+, \d.*B\n[├└]─ layer /);
      expect(tree.stdout).toMatch(/container box\n[\s\S]*unused overlay/);
    },
  );

  test.for(["dockerd", "layerkit"])(
    "tells of each of %s's directories with vfs",
    { timeout: 60_000 },
    async (maker) => {
      await using disk = await loopDisk("ext4", "500M");
      const root = join(disk.path, "root");
      const { rows } = commandOn(root);
      const start = () =>
        maker === "dockerd"
          ? Dockerd.start(root, { driver: "vfs" })
          : Layerkitd.start(root, ["--storage-driver", "vfs"]);
      {
        await using daemon = await start();
        await fill(daemon);
      }
      // dockerd itself does not tell where they are.
      const at = new RootAt(root, "vfs");
      const all = await rows();
      expect(all.map(({ Use }) => Use)).toEqual(["layer", "layer", "layer", "layer", "init", "container"]);
      const stack = (name: string) =>
        at
          .layers(name)
          .map(({ dir }) => dir)
          .reverse();
      for (const name of ["one:1", "two:1"]) {
        expect((await rows(name)).map(({ Directory }) => Directory)).toEqual(stack(name));
      }
      const { mount, init } = at.container("box");
      expect((await rows("box")).map(({ Directory }) => Directory)).toEqual([mount, init, ...stack("one:1")]);
      for (const path of [mount, join(mount, "a"), `vfs/dir/${basename(mount)}`, basename(mount)]) {
        expect(await rows(path), path).toMatchObject([{ Use: "container", Containers: ["box"] }]);
      }
      mkdirSync(join(dirname(mount), "f".repeat(64)));
      expect((await rows()).at(-1)).toMatchObject({ Use: "unused", Name: "f".repeat(64) });
    },
  );

  test("finds whose a line of /proc/mounts is, served or at rest", { timeout: 60_000 }, async () => {
    await using disk = await loopDisk("ext4", "500M");
    const root = join(disk.path, "root");
    const { layerkit, rows } = commandOn(root);
    let line = "";
    {
      await using daemon = await Layerkitd.start(root);
      await fill(daemon);
      const mounted = await run(process.execPath, [layerkitMain, "--root", root, "mount", "box"]);
      expect(mounted).toMatchObject({ status: 0 });
      line =
        readFileSync("/proc/self/mounts", "utf8")
          .split("\n")
          .find((each) => each.includes(`${root}/overlay2`)) ?? "";
      expect(line).toMatch(/lowerdir/);
      const found = await rows(line);
      expect(found.map(({ Use }) => Use)).toEqual(["container", "init", "layer", "layer", "layer"]);
      expect(found[0]).toMatchObject({ Containers: ["box"] });
      expect(found.at(-1)).toMatchObject({ Images: ["one:1", "two:1"] });
    }
    expect((await rows(line)).map(({ Use }) => Use)).toEqual(["container", "init", "layer", "layer", "layer"]);
    expect((await layerkit("-q", "two:1")).stdout.split("\n")).toHaveLength(3);
    expect((await layerkit("box")).stdout).toMatch(
      /LAYER +CHAIN ID +SIZE +CREATED BY +DIRECTORY\n<writable> .*container box/,
    );
  });
});
