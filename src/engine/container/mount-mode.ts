import { InvalidParameter } from "../../spec/index.js";

const groups = [
  ["rw", "ro"],
  ["z", "Z"],
  ["shared", "slave", "private", "rshared", "rslave", "rprivate"],
  ["nocopy"],
  ["consistent", "cached", "delegated", "default"],
];

/** Whether `mode` is what may stand behind a bind: words between commas, one of a kind. */
export function isMountMode(mode: string): boolean {
  if (mode === "") return true;
  const kinds = mode.split(",").map((word) => groups.findIndex((group) => group.includes(word)));
  return !kinds.includes(-1) && new Set(kinds).size === kinds.length;
}

/** What a mount mode says. @throws InvalidParameter "invalid mode: …" */
export function parseMountMode(mode: string) {
  if (!isMountMode(mode)) throw new InvalidParameter(`invalid mode: ${mode}`);
  const words = mode.split(",");
  return {
    readOnly: words.includes("ro"),
    noCopy: words.includes("nocopy"),
    propagation: words.find((word) => groups[2]?.includes(word)),
  };
}
