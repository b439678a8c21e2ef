import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Driver } from "../driver/index.js";
import type { RWLayer } from "../layer/index.js";
import { decodeName, shortID } from "../spec/index.js";
import { names } from "./root.js";

/**
 * What has changed in a data root since its migration, one line; undefined: nothing that going back would lose. Images,
 * tags, layers and containers are compared with those that were set aside; files of containers by their times of change.
 */
export async function changedSince(
  now: string,
  before: string,
  writable: { readonly driver: Driver; readonly layers: readonly RWLayer[]; readonly sinceNs: bigint },
): Promise<string | undefined> {
  const sets = { images: "imagedb/content/sha256", layers: "layerdb/sha256", containers: "layerdb/mounts" };
  for (const [what, dir] of Object.entries(sets)) {
    const [is, was] = [names(join(now, dir)), names(join(before, dir))];
    if (is.sort().join() !== was.sort().join())
      return `there were ${was.length} ${what}, and there are ${is.length}, not the same`;
  }
  if (textOf(now) !== textOf(before)) return "images have got other tags";
  for (const { name, mountID } of writable.layers) {
    const { UpperDir } = await writable.driver.metadata(mountID);
    const dir = UpperDir ?? (await rootOf(writable.driver, mountID));
    const path = changedIn(Buffer.from(dir), writable.sinceNs);
    if (path !== undefined) return `container ${shortID(name)} has changed ${path.slice(dir.length) || "/"}`;
  }
  return undefined;
}

async function rootOf(driver: Driver, id: string): Promise<string> {
  await using mounted = await driver.mount(id as RWLayer["mountID"]);
  return mounted.path;
}

function textOf(image: string): string {
  try {
    return readFileSync(join(image, "repositories.json"), "utf8");
  } catch {
    return "";
  }
}

function changedIn(path: Buffer, sinceNs: bigint): string | undefined {
  const found = lstatSync(path, { bigint: true });
  if (found.ctimeNs > sinceNs) return decodeName(path);
  if (!found.isDirectory()) return undefined;
  for (const name of readdirSync(path, { encoding: "buffer" })) {
    const inner = changedIn(Buffer.concat([path, Buffer.from("/"), name]), sinceNs);
    if (inner !== undefined) return inner;
  }
  return undefined;
}
