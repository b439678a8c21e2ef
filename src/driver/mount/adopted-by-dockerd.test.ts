import * as fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Dockerd } from "../../../test/oracle/dockerd.js";
import { lacking } from "../../../test/oracle/programs.js";
import { output } from "../../../test/oracle/run.js";
import { sampleArchive } from "../../../test/oracle/sample-image.js";
import { loopDisk } from "../../../test/oracle/scratch.js";
import { layerByLayer } from "../checks/overlay-probe.js";
import { type MountWay, mountOverlay, unmountOverlay } from "./overlay-mount.js";

const lacks = lacking("root", "mounts", "dockerd", "docker", "containerd", "runc", "loop", "mkfs.ext4");
const ways: readonly MountWay[] =
  !lacks && layerByLayer() ? ["options", "layers", "relative"] : ["options", "relative"];

test.skipIf(lacks)(
  "dockerd takes over what we have left mounted, however it was mounted",
  { timeout: 60_000 },
  async () => {
    await using disk = await loopDisk("ext4", "512M");
    // Else dockerd binds its root on itself, and what was mounted in it before lies hidden below.
    await output("mount", ["--make-shared", disk.path]);
    const root = join(disk.path, "root");
    fs.mkdirSync(root);
    const containers = await makeContainers(root);
    const home = join(root, "overlay2");
    const mountIDs = containers.map((id) => {
      return fs.readFileSync(join(root, "image/overlay2/layerdb/mounts", id, "mount-id"), "utf8");
    });
    for (const [i, way] of ways.entries()) await mountLayer(home, mountIDs[i] ?? "", way);
    try {
      await using dockerd = await Dockerd.start(root);
      for (const [i, id] of containers.entries()) {
        expect(await dockerd.docker("diff", id)).toBe("A /ours");
        expect(await dockerd.docker("cp", `${id}:/ours`, "-")).toContain(`by ${ways[i]}`);
      }
      await dockerd.docker("rm", "-f", ...containers);
      for (const mountID of mountIDs) expect(fs.existsSync(join(home, mountID))).toBe(false);
      expect(fs.readFileSync("/proc/self/mounts", "utf8")).not.toContain(home);
    } finally {
      for (const mountID of mountIDs) await unmountOverlay(join(home, mountID, "merged"));
    }
  },
);

/** @returns ids of containers, one for each way, that dockerd has made on the root and left */
async function makeContainers(root: string): Promise<string[]> {
  await using dockerd = await Dockerd.start(root);
  await dockerd.tryDocker(["load"], { input: await sampleArchive("sample:1") });
  const ids: string[] = [];
  for (const _ of ways) ids.push(await dockerd.docker("create", "--network", "none", "sample:1", "sh"));
  return ids;
}

/** Mounts the container's layer, and writes into it how. */
async function mountLayer(home: string, id: string, way: MountWay): Promise<void> {
  const merged = join(home, id, "merged");
  fs.mkdirSync(merged);
  const lowers = fs.readFileSync(join(home, id, "lower"), "utf8").split(":");
  const stack = { lowers, upper: { dir: `${id}/diff`, work: `${id}/work` }, target: `${id}/merged` };
  await mountOverlay(home, stack, { index: true, userxattr: false, layerByLayer: true }, way);
  fs.writeFileSync(join(merged, "ours"), `by ${way}`);
}
