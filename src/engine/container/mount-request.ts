import { stat } from "node:fs/promises";
import { posix } from "node:path";
import { InvalidParameter, messageOf } from "../../spec/index.js";
import type { HostConfig, MountRequest } from "../api-container.js";
import { isMountMode, parseMountMode } from "./mount-mode.js";
import type { StoredMount } from "./stored.js";

/** A mount that was asked for, checked; `Name` is still "" where a volume has none. */
export interface WantedMount {
  readonly mount: StoredMount;
  /** Fill a new volume from the image. */
  readonly copy: boolean;
  readonly labels?: Record<string, string> | null;
  readonly driverOptions?: Record<string, string> | null;
}

/** `/a:/b:ro`, `name:/b`, `/b`. @throws InvalidParameter */
export async function parseBind(raw: string, volumeDriver: string): Promise<WantedMount> {
  const parts = raw.split(":");
  const [first = "", second = "", mode = ""] = parts;
  const bad = `invalid volume specification: '${raw}'`;
  if (parts.length > 3 || (parts.length > 1 && (first === "" || second === ""))) throw new InvalidParameter(bad);
  if (parts.length === 2 && isMountMode(second)) throw new InvalidParameter(bad);
  const { readOnly, noCopy, propagation } = parseMountMode(mode);
  const source = parts.length === 1 ? "" : first;
  const isBind = posix.isAbsolute(source);
  const spec: MountRequest = {
    Type: isBind ? "bind" : "volume",
    ...(source !== "" && { Source: source }),
    Target: parts.length === 1 ? first : second,
    ...(readOnly && { ReadOnly: true }),
    ...(propagation && { BindOptions: { Propagation: propagation } }),
    ...(!isBind && noCopy && { VolumeOptions: { NoCopy: true } }),
    ...(!isBind && volumeDriver && { VolumeOptions: { DriverConfig: { Name: volumeDriver } } }),
  };
  try {
    return await parseSpec(spec, { mode });
  } catch (error) {
    throw new InvalidParameter(`${bad}: ${messageOf(error)}`, { cause: error });
  }
}

/** One of `HostConfig.Mounts`. @throws InvalidParameter */
export function parseMount(spec: MountRequest): Promise<WantedMount> {
  return parseSpec(spec, {});
}

/** @param options `mode` of a bind, whose source may be made later; without it the source has to be there */
async function parseSpec(spec: MountRequest, { mode }: { readonly mode?: string }): Promise<WantedMount> {
  const why = (await complaint(spec, mode === undefined)) ?? "";
  if (why !== "") throw new InvalidParameter(`invalid mount config for type "${spec.Type ?? ""}": ${why}`);
  const { Type: type, Source: source = "", Target: target = "", VolumeOptions: options } = spec;
  const isBind = type === "bind";
  const mount: StoredMount = {
    Source: isBind ? posix.normalize(source).replace(/(?<=.)\/$/, "") : "",
    Destination: cleanTarget(target),
    RW: !spec.ReadOnly,
    Name: type === "volume" ? source : "",
    Driver: type === "volume" ? options?.DriverConfig?.Name || "local" : "",
    Type: type as StoredMount["Type"],
    ...(mode && { Relabel: mode }),
    ...(isBind && { Propagation: spec.BindOptions?.Propagation || "rprivate" }),
    Spec: spec as StoredMount["Spec"],
    SkipMountpointCreation: isBind && mode === undefined,
  };
  return {
    mount,
    copy: type === "volume" && !options?.NoCopy,
    ...(options?.Labels && { labels: options.Labels }),
    ...(options?.DriverConfig?.Options && { driverOptions: options.DriverConfig.Options }),
  };
}

/** The absolute path a mount target stands for. */
export function cleanTarget(target: string): string {
  return posix.normalize(target).replace(/(?<=.)\/$/, "");
}

/** What is wrong with a mount target; undefined when nothing is. */
export function targetComplaint(target: string): string | undefined {
  if (target === "") return "field Target must not be empty";
  if (!posix.isAbsolute(target)) return `invalid mount path: '${target}' mount path must be absolute`;
  if (cleanTarget(target) === "/") return "invalid specification: destination can't be '/'";
  return undefined;
}

async function complaint(spec: MountRequest, mustExist: boolean): Promise<string | undefined> {
  const { Type: type, Source: source = "", Target: target = "" } = spec;
  const options = { bind: "BindOptions", volume: "VolumeOptions", tmpfs: "TmpfsOptions" } as const;
  if (!type || !Object.hasOwn(options, type)) return type === "" ? "mount type is empty" : "mount type unknown";
  const kind = type as keyof typeof options;
  const why = targetComplaint(target);
  if (why) return why;
  const foreign = Object.entries(options).find(([other, key]) => other !== kind && spec[key]);
  if (foreign) return `field ${foreign[1]} must not be specified`;
  if (kind === "tmpfs" && source !== "") return "field Source must not be specified";
  if (kind !== "bind") return undefined;
  if (source === "") return "field Source must not be empty";
  const { ReadOnlyNonRecursive: flat, ReadOnlyForceRecursive: deep } = spec.BindOptions ?? {};
  if (deep && (flat || !spec.ReadOnly)) return "ReadOnlyForceRecursive needs ReadOnly, and no ReadOnlyNonRecursive";
  if (!posix.isAbsolute(source)) return `invalid mount path: '${source}' mount path must be absolute`;
  const found = !mustExist || (await stat(source).catch(() => undefined));
  return found ? undefined : `bind source path does not exist: ${source}`;
}

/** Before API 1.44 a read-only mount said nothing of what is mounted below it. */
export function withFlatReadOnly(host: HostConfig): HostConfig {
  const flat = (mount: MountRequest): MountRequest =>
    mount.Type === "bind" && mount.ReadOnly
      ? { ...mount, BindOptions: { ...mount.BindOptions, ReadOnlyNonRecursive: true } }
      : mount;
  return host.Mounts ? { ...host, Mounts: host.Mounts.map(flat) } : host;
}

/** All mounts a host config asks for by `Binds` and `Mounts`. @throws InvalidParameter: a bad one, or two at one place */
export async function wantedMounts(host: HostConfig): Promise<WantedMount[]> {
  const binds = (host.Binds ?? []).map((raw) => parseBind(raw, host.VolumeDriver ?? ""));
  const mounts = (host.Mounts ?? []).map((spec) => parseMount(spec));
  const wanted = [...(await Promise.all(binds)), ...(await Promise.all(mounts))];
  const taken = new Set(Object.keys(host.Tmpfs ?? {}).map(cleanTarget));
  for (const { mount } of wanted) {
    if (taken.has(mount.Destination)) throw new InvalidParameter(`Duplicate mount point: ${mount.Destination}`);
    taken.add(mount.Destination);
  }
  return wanted;
}
