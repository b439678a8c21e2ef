import { join } from "node:path";
import { Dockerd } from "../oracle/dockerd.js";
import { output } from "../oracle/run.js";
import { sampleArchive } from "../oracle/sample-image.js";
import { filledDisk } from "../oracle/scratch.js";

export type OverlayDriver = "overlay2" | "overlay";
export type RootDriver = OverlayDriver | "vfs";

/** A data root that a real dockerd has written, at rest, and copies of it that take no time. It was written elsewhere. */
export interface DockerRoot extends AsyncDisposable {
  readonly driver: RootDriver;
  readonly path: string;
  /** What `docker save` made of both images. */
  readonly archive: string;
  /** A copy of its own, which goes with the root. */
  copy(): Promise<string>;
}

export const [app, child] = ["layerkit/sample:latest", "layerkit/child:2"];

/**
 * Two images, the second committed upon the first; three names; a container of each that has run and written, and one
 * that was only created. Named `ran`, `upper` and `fresh`.
 */
export async function dockerRoot(driver: RootDriver): Promise<DockerRoot> {
  const disk = await filledDisk(`docker-root-${driver}`, "2G", (path) => fill(path, driver));
  const { path, archive } = placesOn(disk.path);
  let copies = 0;
  return {
    driver,
    path,
    archive,
    copy: async () => {
      const to = join(disk.path, `copy${copies++}`);
      await output("cp", ["-a", "--reflink=always", path, to]);
      return to;
    },
    [Symbol.asyncDispose]: () => disk[Symbol.asyncDispose](),
  };
}

const placesOn = (disk: string) => ({ path: join(disk, "docker"), archive: join(disk, "saved.tar") });

async function fill(disk: string, driver: RootDriver): Promise<void> {
  const { path, archive } = placesOn(disk);
  await using dockerd = await Dockerd.start(path, { driver });
  const loaded = await dockerd.tryDocker(["load"], { input: await sampleArchive(app) });
  if (loaded.status !== 0) throw new Error(`docker load: ${loaded.stderr}`);
  const run = (...args: string[]) => dockerd.docker("run", "--network", "none", ...args);
  await run("--name", "ran", app, "sh", "-c", "echo one > /written; rm -f /etc/app.conf");
  await dockerd.docker("commit", "--change", "LABEL of=child", "ran", child);
  await dockerd.docker("tag", app, "layerkit/sample:again");
  await run("--name", "upper", child, "sh", "-c", "echo two >> /written");
  await dockerd.docker("create", "--network", "none", "--name", "fresh", app, "sh", "-c", "cat /etc/app.conf");
  await dockerd.docker("save", "--output", archive, app, child);
}
