import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { output } from "../test/oracle/run.js";

/** What the kernel alone needs to write the layers: GNU tar, one layer after the other, each into its own directory. */
export async function layersOf(archive: string, directory: string): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  await output("tar", ["-xf", archive, "-C", directory]);
  const [item] = JSON.parse(await readFile(join(directory, "manifest.json"), "utf8")) as { Layers: string[] }[];
  return (item?.Layers ?? []).map((layer) => join(directory, layer));
}

export async function unpackAll(layers: readonly string[], into: string): Promise<void> {
  for (const [i, layer] of layers.entries()) {
    const directory = join(into, String(i));
    await mkdir(directory, { recursive: true });
    await output("tar", ["--numeric-owner", "-xpf", layer, "-C", directory]);
  }
}

export async function forget(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}
