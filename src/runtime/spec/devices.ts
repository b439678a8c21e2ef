import { lstat, readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { type DeviceMapping, type HostConfig, isErrno } from "../../spec/index.js";
import { RuntimeFailure } from "../failure.js";
import { majorOf, minorOf } from "./device-number.js";
import { defaultRules, parseRule } from "./device-rules.js";
import type { OCIDevice, OCIDeviceRule } from "./oci.js";

/** Devices a container has beside those the runtime makes in every one, and what it may do with which devices. */
export interface Devices {
  readonly devices: OCIDevice[];
  readonly rules: OCIDeviceRule[];
}

/** @throws RuntimeFailure: a device that is not there, or a rule that is none, in Docker's words */
export async function devicesOf(host: HostConfig): Promise<Devices> {
  if (host.DeviceRequests?.length) throw unknownDriver(host.DeviceRequests[0]);
  const mapped = await Promise.all(
    (host.Devices ?? []).map(async (mapping) => ({ mapping, found: await find(mapping) })),
  );
  if (host.Privileged) {
    const others = mapped.filter(({ mapping }) => mapping.PathOnHost !== mapping.PathInContainer);
    const devices = [...(await hostDevices("/dev")), ...others.flatMap(({ found }) => found)];
    return { devices, rules: [{ allow: true, access: "rwm" }] };
  }
  const allowed = mapped.flatMap(({ mapping, found }) => found.map((device) => ruleFor(device, mapping)));
  const rules = [...defaultRules, ...allowed, ...(host.DeviceCgroupRules ?? []).map(parseRule)];
  return { devices: mapped.flatMap(({ found }) => found), rules };
}

function ruleFor({ type, major, minor }: OCIDevice, { CgroupPermissions }: DeviceMapping): OCIDeviceRule {
  return { allow: true, type, major, minor, access: CgroupPermissions };
}

/** The device a path leads to, or all in the directory it leads to. */
async function find({ PathOnHost, PathInContainer }: DeviceMapping): Promise<OCIDevice[]> {
  const bad = (why: string) =>
    new RuntimeFailure(`error gathering device information while adding custom device "${PathOnHost}": ${why}`);
  const real = await realpath(PathOnHost).catch(() => PathOnHost);
  const stat = await lstat(real).catch(() => undefined);
  if (stat === undefined) throw bad("no such file or directory");
  if (!stat.isDirectory()) {
    const device = await deviceAt(real, PathInContainer);
    if (device === undefined) throw bad("not a device node");
    return [device];
  }
  const names = await readdir(real, { recursive: true });
  const inside = names.sort().map((name) => deviceAt(join(real, name), join(PathInContainer, name)));
  const devices = (await Promise.all(inside)).filter((device) => device !== undefined);
  if (devices.length === 0) throw bad("not a device node");
  return devices;
}

/** Not devices of the machine, but of whoever mounted them. */
const foreign = new Set(["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"]);

async function hostDevices(directory: string): Promise<OCIDevice[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const found = entries.map(async (entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return foreign.has(entry.name) ? [] : hostDevices(path);
    const device = entry.name === "console" ? undefined : await deviceAt(path, path);
    return device === undefined || device.type === "p" ? [] : [device];
  });
  return (await Promise.all(found)).flat();
}

/** Undefined for what is no device, or is gone. */
async function deviceAt(path: string, as: string): Promise<OCIDevice | undefined> {
  try {
    const stat = await lstat(path);
    const type = stat.isBlockDevice() ? "b" : stat.isCharacterDevice() ? "c" : stat.isFIFO() ? "p" : undefined;
    if (type === undefined) return undefined;
    const { rdev, mode, uid, gid } = stat;
    return { path: as, type, major: majorOf(rdev), minor: minorOf(rdev), fileMode: mode & 0o7777, uid, gid };
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

function unknownDriver(request: unknown): RuntimeFailure {
  const { Driver = "", Capabilities } = (request ?? {}) as { Driver?: string; Capabilities?: string[][] | null };
  const wanted = (Capabilities ?? []).map((all) => `[${all.join(" ")}]`).join(" ");
  return new RuntimeFailure(`could not select device driver "${Driver}" with capabilities: [${wanted}]`);
}
