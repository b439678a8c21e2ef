import { readFileSync } from "node:fs";
import type { OldForm } from "../../archive/index.js";
import { type DiffSource, paced, readDiff } from "../../driver/index.js";
import { type Path, parentOf } from "../../spec/index.js";

/** So many times are tried that whiteouts may have had. */
const mostTimes = 4;

/**
 * How dockerd up to 20.10 may have packed a commit on this machine, of which it has lost the time of whiteouts: they all
 * have one, and it is that of a directory in which nothing was changed after the deletion.
 */
export async function oldForms(source: DiffSource): Promise<OldForm[]> {
  const [users, groups] = [namesIn("/etc/passwd"), namesIn("/etc/group")];
  const directories = new Map<Path, bigint>();
  const times = new Set<bigint>();
  let whiteouts = 0;
  for await (const { kind, path, meta } of paced(readDiff(source))) {
    if (kind === "directory") directories.set(path, meta.mtimeNs);
    if (kind !== "whiteout") continue;
    whiteouts++;
    const time = directories.get(parentOf(path));
    if (time !== undefined && times.size < mostTimes) times.add(time);
  }
  const links = whiteouts > 1 ? [true, false] : [false];
  return [undefined, ...times].flatMap((whiteoutNs) =>
    links.map((linksWhiteouts) => ({ users, groups, linksWhiteouts, whiteoutNs })),
  );
}

/** `NAME:…:NUMBER:…`; of several names of a number the first. */
function namesIn(path: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of textOf(path).split("\n")) {
    const [name, , number] = line.split(":");
    if (name && /^\d+$/.test(number ?? "") && !names.has(Number(number))) names.set(Number(number), name);
  }
  return names;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
