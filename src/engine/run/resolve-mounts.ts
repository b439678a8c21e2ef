import { makeDirectories } from "../../disk/index.js";
import { type SetupMount, tmpfsOptions } from "../../runtime/index.js";
import { isErrno, type MountRequest, messageOf, Unavailable } from "../../spec/index.js";
import type { ContainerParts } from "../container/container-parts.js";
import type { StoredContainer, StoredMount } from "../container/stored.js";
import { mountVolume } from "./volume-mounts.js";

/** A container's mounts as the runtime is to make them; sources that a start has to make are made. Upper places first. */
export async function resolveMounts(parts: ContainerParts, { MountPoints }: StoredContainer): Promise<SetupMount[]> {
  const depth = ({ Destination }: StoredMount) => Destination.split("/").length;
  const ordered = Object.values(MountPoints).sort((a, b) => depth(a) - depth(b));
  return Promise.all(ordered.map((mount) => resolved(parts, mount)));
}

type BindOptions = NonNullable<MountRequest["BindOptions"]>;

async function resolved(parts: ContainerParts, mount: StoredMount): Promise<SetupMount> {
  const { Type, Destination: destination, RW: rw, Name, Propagation: propagation, Spec: spec } = mount;
  if (Type === "tmpfs") {
    const given = (spec?.TmpfsOptions ?? {}) as Parameters<typeof tmpfsOptions>[0];
    return { type: "tmpfs", source: "", destination, rw, options: tmpfsOptions(given) };
  }
  if (Name) {
    await mountVolume(parts, Name);
    return { type: "bind", source: parts.volumes.pathOf(Name), destination, rw };
  }
  if (!mount.SkipMountpointCreation) await makeSource(mount.Source);
  const { NonRecursive: nonRecursive = false, Propagation: asked = "" } = (spec?.BindOptions ?? {}) as BindOptions;
  return {
    ...{ type: "bind", source: mount.Source, destination, rw, nonRecursive, propagationIsImplied: asked === "" },
    ...(propagation && { propagation }),
  };
}

/** A bind's source that is missing becomes a directory. */
async function makeSource(source: string): Promise<void> {
  try {
    await makeDirectories(source, 0o755);
  } catch (error) {
    if (isErrno(error, "EEXIST", "ENOTDIR")) return;
    const why = `error while creating mount source path '${source}': ${messageOf(error)}`;
    throw new Unavailable(why, { cause: error });
  }
}
