import { RuntimeFailure } from "../failure.js";
import type { OCIDeviceRule } from "./oci.js";

const character = (major: number, minor: number, allow = true): OCIDeviceRule => ({
  allow,
  type: "c",
  major,
  minor,
  access: "rwm",
});

/** What every container may do with devices: zero, null, urandom, random, tty, console; no other, not even fuse. */
export const defaultRules: readonly OCIDeviceRule[] = [
  { allow: false, access: "rwm" },
  character(1, 5),
  character(1, 3),
  character(1, 9),
  character(1, 8),
  character(5, 0),
  character(5, 1),
  character(10, 229, false),
];

/** `c 42:* rmw`. @throws RuntimeFailure */
export function parseRule(text: string): OCIDeviceRule {
  const [, type, major, minor, access] = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/.exec(text) ?? [];
  if (access === undefined) throw new RuntimeFailure(`invalid device cgroup rule format: '${text}'`);
  return { allow: true, type: type ?? "a", major: number(major), minor: number(minor), access };
}

/** -1 is any. */
function number(text = "*"): number {
  return text === "*" ? -1 : Number(text);
}
