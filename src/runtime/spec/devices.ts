import { lstatSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { type DeviceMapping, type HostConfig, isErrno, messageOf } from "../../spec/index.js";
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
export function devicesOf(host: HostConfig): Devices {
  if (host.DeviceRequests?.length) throw unknownDriver(host.DeviceRequests[0]);
  const mappings = host.Devices ?? [];
  if (host.Privileged) {
    const moved = mappings.filter(({ PathOnHost, PathInContainer }) => PathOnHost !== PathInContainer);
    return { devices: [...hostDevices("/dev"), ...moved.flatMap(find)], rules: [{ allow: true, access: "rwm" }] };
  }
  const found = mappings.map((mapping) => ({ mapping, devices: find(mapping) }));
  const allowed = found.flatMap(({ mapping, devices }) => devices.map((device) => ruleFor(device, mapping)));
  const rules = [...defaultRules, ...allowed, ...(host.DeviceCgroupRules ?? []).map(parseRule)];
  return { devices: found.flatMap(({ devices }) => devices), rules };
}

function ruleFor({ type, major, minor }: OCIDevice, { CgroupPermissions }: DeviceMapping): OCIDeviceRule {
  return { allow: true, type, major, minor, access: CgroupPermissions };
}

/** The device a path leads to, or all in the directory it leads to. */
function find({ PathOnHost, PathInContainer }: DeviceMapping): OCIDevice[] {
  const bad = (why: string, cause?: unknown) => {
    const what = `error gathering device information while adding custom device "${PathOnHost}"`;
    return new RuntimeFailure(`${what}: ${why}`, { cause });
  };
  try {
    const real = realpathSync(PathOnHost);
    const names = lstatSync(real).isDirectory()
      ? readdirSync(real, { recursive: true, encoding: "utf8" }).sort()
      : [""];
    const devices = names.flatMap((name) => deviceAt(join(real, name), join(PathInContainer, name)) ?? []);
    if (devices.length > 0) return devices;
  } catch (error) {
    throw bad(isErrno(error, "ENOENT") ? "no such file or directory" : messageOf(error), error);
  }
  throw bad("not a device node");
}

/** Not devices of the machine, but of whoever mounted them. */
const foreign = new Set(["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"]);

function hostDevices(directory: string): OCIDevice[] {
  const entries = readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return foreign.has(entry.name) ? [] : hostDevices(path);
    const device = entry.name === "console" ? undefined : deviceAt(path, path);
    return device === undefined || device.type === "p" ? [] : [device];
  });
}

/** Undefined for what is no device, or is gone. */
function deviceAt(path: string, as: string): OCIDevice | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  const type = stat?.isBlockDevice() ? "b" : stat?.isCharacterDevice() ? "c" : stat?.isFIFO() ? "p" : undefined;
  if (stat === undefined || type === undefined) return undefined;
  const { rdev, mode, uid, gid } = stat;
  return { path: as, type, major: majorOf(rdev), minor: minorOf(rdev), fileMode: mode & 0o7777, uid, gid };
}

function unknownDriver(request: unknown): RuntimeFailure {
  const { Driver = "", Capabilities } = (request ?? {}) as { Driver?: string; Capabilities?: string[][] | null };
  const wanted = [Capabilities ?? []]
    .flat()
    .map((all) => `[${[all].flat().join(" ")}]`)
    .join(" ");
  return new RuntimeFailure(`could not select device driver "${Driver}" with capabilities: [${wanted}]`);
}
