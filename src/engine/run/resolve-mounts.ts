import { makeDirectories } from "../../disk/index.js";
import { canReadOnlyDeeply, type Program, type SetupMount, tmpfsOptions } from "../../runtime/index.js";
import { isErrno, type MountRequest, messageOf, Unavailable } from "../../spec/index.js";
import type { ContainerParts } from "../container/container-parts.js";
import type { StoredContainer, StoredMount } from "../container/stored.js";
import { mountVolume } from "./volume-mounts.js";

/**
 * A container's mounts as the runtime is to make them; sources that a start has to make are made. Upper places first.
 *
 * @param program the runtime
 */
export async function resolveMounts(
  parts: ContainerParts,
  { MountPoints }: StoredContainer,
  program: Program,
): Promise<SetupMount[]> {
  const depth = ({ Destination }: StoredMount) => Destination.split("/").length;
  const ordered = Object.values(MountPoints).sort((a, b) => depth(a) - depth(b));
  return Promise.all(ordered.map((mount) => resolved(parts, mount, program)));
}

type BindOptions = NonNullable<MountRequest["BindOptions"]>;

async function resolved(parts: ContainerParts, mount: StoredMount, program: Program): Promise<SetupMount> {
  const { Type, Destination: destination, RW: rw, Name, Propagation: propagation, Spec: spec } = mount;
  if (Type === "tmpfs") {
    const given = (spec?.TmpfsOptions ?? {}) as Parameters<typeof tmpfsOptions>[0];
    return { type: "tmpfs", source: "", destination, rw, options: tmpfsOptions(given) };
  }
  if (Name) {
    await mountVolume(parts, Name);
    return { type: "bind", source: parts.volumes.pathOf(Name), destination, rw };
  }
  const options = (spec?.BindOptions ?? {}) as BindOptions;
  const readOnlyRecursively = !rw && (await isDeep(options, destination, program));
  if (!mount.SkipMountpointCreation) await makeSource(mount.Source);
  const { NonRecursive: nonRecursive = false, Propagation: asked = "" } = options;
  return {
    ...{ type: "bind", source: mount.Source, destination, rw, nonRecursive, propagationIsImplied: asked === "" },
    ...(propagation && { propagation }),
    ...(readOnlyRecursively && { readOnlyRecursively }),
  };
}

/** Whether a read-only bind is so with what is mounted below its source. @throws Unavailable: it has to be, and cannot */
async function isDeep(options: BindOptions, destination: string, program: Program): Promise<boolean> {
  const { NonRecursive, ReadOnlyNonRecursive, ReadOnlyForceRecursive } = options;
  if (NonRecursive || ReadOnlyNonRecursive) return false;
  const can = await canReadOnlyDeeply(program);
  if (can || !ReadOnlyForceRecursive) return can;
  throw new Unavailable(
    `the mount at ${destination} cannot be read-only with what is mounted below it: that needs Linux 5.12 and a runtime ` +
      `that has the option "rro", which ${program.runtime} has not`,
  );
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
