import { existsSync } from "node:fs";
import { chmod, chown, lstat, mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ensureDirectory, removeTree, syncDirectory, syncFileSystem } from "../disk/index.js";
import { Conflict } from "../spec/index.js";
import { contents, layersIn, names, type StoredContainer } from "./root.js";
import type { Places, State } from "./state.js";
import { withDriver } from "./with-driver.js";

/**
 * The moment of the switch: everything is on the disk, and from the state's change on only renames are left, each of
 * which can be repeated. Whoever opens the root in between finds two drivers in it, which dockerd refuses.
 */
export async function switchOver(places: Places, state: State, containers: readonly StoredContainer[]): Promise<void> {
  await writeConfigs(places, containers, state.to);
  await syncFileSystem(places.root);
  const switching: State = { ...state, phase: "switching", switched: String(BigInt(Date.now()) * 1_000_000n) };
  await places.say(switching);
  await finishSwitch(places, switching);
}

/** What is left of a switch. */
export async function finishSwitch(places: Places, state: State): Promise<void> {
  const { root, fresh, old } = places;
  await takeIn(places, fresh, state.to);
  await moveConfigs(places);
  await ensureDirectory(join(old, "image"), 0o700);
  await move(join(root, "image", state.from), join(old, "image", state.from));
  await move(join(root, state.from), join(old, state.from));
  await places.say({ ...state, phase: "switched" });
  await removeTree(fresh);
}

/** What is left of a switch back. */
export async function finishUndo(places: Places, state: State): Promise<void> {
  const { root, base, old } = places;
  const undone = join(base, "undone");
  await takeIn(places, old, state.from);
  await moveConfigs(places);
  await ensureDirectory(join(undone, "image"), 0o700);
  await move(join(root, "image", state.to), join(undone, "image", state.to));
  await move(join(root, state.to), join(undone, state.to));
  await places.say({ ...state, phase: "undone" });
  await places.clear();
}

/** Puts a driver's directories in their places; what is there is an empty beginning. */
async function takeIn({ root }: Places, from: string, driver: string): Promise<void> {
  const both = [join("image", driver), driver];
  const isLeft = both.some((name) => existsSync(join(from, name)));
  const isTaken =
    existsSync(join(from, driver)) &&
    layersIn(root, driver) + (existsSync(join(from, both[0]!)) ? contents(root, driver) : 0) > 0;
  if (isLeft && isTaken)
    throw new Conflict(`${root} has got images of ${driver} meanwhile: move ${driver} and image/${driver} away`);
  for (const name of both) {
    if (!existsSync(join(from, name))) continue;
    await removeTree(join(root, name));
    await move(join(from, name), join(root, name));
  }
}

/** Writes the containers' new configs where the switch will find them. */
export async function writeConfigs(
  { base }: Places,
  containers: readonly StoredContainer[],
  driver: string,
): Promise<void> {
  const dir = join(base, "containers");
  await removeTree(dir);
  await mkdir(dir, { mode: 0o700 });
  for (const { id, file, text } of containers) {
    const { uid, gid, mode } = await lstat(file);
    const path = join(dir, id);
    await writeFile(path, withDriver(text, driver), { mode: 0o600 });
    await chown(path, uid, gid);
    await chmod(path, mode & 0o7777);
  }
}

async function moveConfigs({ root, base }: Places): Promise<void> {
  const dir = join(base, "containers");
  for (const id of names(dir)) {
    const container = join(root, "containers", id);
    if (existsSync(container)) await move(join(dir, id), join(container, "config.v2.json"));
  }
}

/** Durable, and nothing where it has been done. */
async function move(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return;
  await rename(from, to);
  await syncDirectory(dirname(to));
  await syncDirectory(dirname(from));
}
