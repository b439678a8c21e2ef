import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Driver, driverNames, openDriver } from "../driver/index.js";
import { ImageStore } from "../image/index.js";
import { type Layer, LayerStore } from "../layer/index.js";
import { Conflict, InvalidParameter, isCacheID, NotFound } from "../spec/index.js";

/** The layers of one driver in a data root, opened. */
export interface Opened extends AsyncDisposable {
  readonly name: string;
  readonly root: string;
  readonly driver: Driver;
  readonly layers: LayerStore;
}

/** What is to be migrated: opened to be read. */
export interface Source extends Opened {
  readonly images: ImageStore;
  readonly containers: readonly StoredContainer[];
}

/** A container's `config.v2.json`, as far as it matters here. */
export interface StoredContainer {
  readonly id: string;
  readonly name: string;
  readonly file: string;
  readonly text: string;
  /** Of a process that its state says it has. */
  readonly pid: number;
}

/** @param look nothing is written, tried or mounted */
export async function openSource(root: string, name: string, look: boolean): Promise<Source> {
  const driver = await openDriver(name, root, { readOnly: look });
  const home = join(root, "image", name);
  const layers = await LayerStore.open({ root: home, driver, writable: false });
  const images = await ImageStore.open({ root: home, layers, writable: false });
  const containers = await containersOf(root, name);
  return { name, root, driver, layers, images, containers, [Symbol.asyncDispose]: () => driver.close() };
}

/** @param root made when it is not there */
export async function openTarget(root: string, name: string): Promise<Opened> {
  await mkdir(join(root, "image"), { recursive: true, mode: 0o700 });
  const driver = await openDriver(name, root);
  const layers = await LayerStore.open({ root: join(root, "image", name), driver, writable: true });
  return { name, root, driver, layers, [Symbol.asyncDispose]: () => driver.close() };
}

/** The driver whose images and containers the root has, beside those of `to`. @throws NotFound, Conflict */
export function sourceDriver(root: string, to: string, from: string | undefined): string {
  if (!(driverNames as readonly string[]).includes(to)) {
    throw new InvalidParameter(`no storage driver '${to}': there are ${driverNames.join(", ")}`);
  }
  const found = driverNames.filter((name) => name !== to && name === (from ?? name) && contents(root, name) > 0);
  if (found.length === 1) return found[0]!;
  if (found.length === 0) {
    const what = contents(root, to) > 0 ? `: what it has is of ${to}` : "";
    throw new NotFound(`data root ${root} has no images or containers of ${from ?? "another driver"}${what}`);
  }
  throw new Conflict(`data root ${root} has images of ${found.join(" and ")}: say which by --from`);
}

/** How many images, layers and writable layers a data root has of a driver. */
export function contents(root: string, name: string): number {
  const image = join(root, "image", name);
  const counted = ["imagedb/content/sha256", "layerdb/sha256", "layerdb/mounts"].map((dir) => names(join(image, dir)));
  return counted.reduce((sum, { length }) => sum + length, 0);
}

/** Layers in a driver's home, whatever is known of them. */
export function layersIn(root: string, name: string): number {
  return names(join(root, name === "vfs" ? "vfs/dir" : name)).filter(isCacheID).length;
}

export function names(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir) : [];
}

/** Layers, each after the one it lies on. */
export function bottomUp(layers: LayerStore): Layer[] {
  return layers.list().sort((a, b) => a.depth - b.depth || (a.chainID < b.chainID ? -1 : 1));
}

async function containersOf(root: string, driver: string): Promise<StoredContainer[]> {
  const found: StoredContainer[] = [];
  for (const id of names(join(root, "containers"))) {
    const file = join(root, "containers", id, "config.v2.json");
    const text = await readFile(file, "utf8").catch(() => "");
    const config = parsed(text);
    if (config?.Driver !== driver) continue;
    const { Name = "", State } = config;
    found.push({ id, file, text, name: Name.replace(/^\//, ""), pid: State?.Running ? (State.Pid ?? 0) : 0 });
  }
  return found;
}

interface Config {
  readonly Driver?: string;
  readonly Name?: string;
  readonly State?: { readonly Running?: boolean; readonly Pid?: number };
}

function parsed(text: string): Config | undefined {
  try {
    return JSON.parse(text) as Config;
  } catch {
    return undefined;
  }
}
