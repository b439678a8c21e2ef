import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { isErrno, Unavailable } from "../../spec/index.js";
import { MNT, umount } from "../../sys/index.js";
import type { ContainerParts } from "../container/container-parts.js";

const run = promisify(execFile);

/** Volumes made with `type`, `device` and `o` are mounted for as long as a container that has them runs. */
export async function mountVolume({ volumes, turns }: ContainerParts, name: string): Promise<void> {
  const { Options: options, Mountpoint: path } = await volumes.get(name);
  if (!options?.device) return;
  const { type = "", device, o } = options;
  await turns.alone(`volume ${name}`, async () => {
    if (isMount(path)) return;
    const args = [...(type ? ["-t", type] : []), ...(o ? ["-o", o] : []), device, path];
    await run("mount", args).catch((error: Error & { stderr?: string }) => {
      const why = (error.stderr || error.message).trim().replace(/\s*\n\s*/g, "; ");
      throw new Unavailable(`error while mounting volume '${path}': failed to mount local volume: ${why}`, {
        cause: error,
      });
    });
  });
}

/** Unmounts such a volume once no running container has it. */
export async function unmountVolume({ volumes, store, turns }: ContainerParts, name: string): Promise<void> {
  const found = await volumes.find(name);
  if (!found?.Options?.device) return;
  await turns.alone(`volume ${name}`, async () => {
    const isUsed = store.list().some(({ stored: { State, MountPoints } }) => {
      return State.Running && State.Pid > 0 && Object.values(MountPoints).some((mount) => mount.Name === name);
    });
    if (isUsed || !isMount(found.Mountpoint)) return;
    try {
      umount(found.Mountpoint, MNT.DETACH);
    } catch (error) {
      if (!isErrno(error, "EINVAL", "ENOENT")) throw error;
    }
  });
}

function isMount(path: string): boolean {
  return statSync(path).dev !== statSync(join(path, "..")).dev;
}
