import { join } from "node:path";
import { ensureDirectory, removeTree, syncFileSystem } from "../disk/index.js";
import { Conflict, NotFound, Unavailable } from "../spec/index.js";
import { changedSince } from "./changed-since.js";
import { fill, isStillWanted, type Moved } from "./fill.js";
import { type Plan, planFor } from "./plan.js";
import type { Progress } from "./report.js";
import { openSource, openTarget, type Source, sourceDriver } from "./root.js";
import { Places, type State } from "./state.js";
import { finishSwitch, finishUndo, switchOver, writeConfigs } from "./switch.js";

export interface MigrateOptions {
  /** The storage driver to change to. */
  readonly to: string;
  /** The one to change from, where the root has images of several others. */
  readonly from?: string;
}

/** `signal` stops it between two layers; the next run goes on there. */
export interface MigrateRun extends MigrateOptions, Progress {
  /** Done before anything is, when there is something to do. */
  readonly before?: () => Promise<void>;
}

/** What a migration would do, and what is in its way. Nothing is changed. @throws NotFound: there is nothing to migrate */
export async function planMigration(root: string, { to, from }: MigrateOptions): Promise<Plan> {
  const state = await new Places(root).state();
  const name = sourceDriver(root, to, from ?? (state?.to === to ? state.from : undefined));
  await using source = await openSource(root, name, true);
  const plan = await planFor(source, to);
  const kept = state !== undefined && state.phase !== "filling" && !isOver(state) ? [keptText(state)] : [];
  return { ...plan, obstacles: [...plan.obstacles, ...kept] };
}

/**
 * Moves all images and containers of a data root to another storage driver, or goes on where an earlier run was
 * stopped. Until everything is in its new place, compared and on the disk, nothing of the old is touched.
 *
 * @param root owned by the caller
 * @throws NotFound: nothing to migrate; Conflict: something is in the way; Unavailable: no room; DataLoss: it would not
 * be the same
 */
export async function migrate(
  root: string,
  { to, from, tell, signal, before }: MigrateRun,
): Promise<Moved | undefined> {
  const places = new Places(root);
  const state = await places.state();
  if (state?.phase === "switching" && state.to === to) {
    await finishSwitch(places, state);
    return undefined;
  }
  if (isOver(state)) await places.clear();
  else if (state !== undefined && state.phase !== "filling") throw new Conflict(keptText(state));
  const name = sourceDriver(root, to, from ?? (state?.to === to ? state.from : undefined));
  await using source = await openSource(root, name, false);
  const { obstacles, notes } = await planFor(source, to, state?.from === name && state.to === to);
  if (obstacles.length > 0) throw new Unavailable(`cannot migrate to ${to}: ${obstacles.join("; ")}`);
  for (const status of notes) tell({ status });
  await before?.();
  const filling: State = { from: name, to, phase: "filling" };
  await begin(places, source, filling, state);
  const moved = await filled(places, source, filling, { tell, signal });
  await source[Symbol.asyncDispose]();
  await switchOver(places, filling, source.containers);
  return moved;
}

/** Keeps what an interrupted run has made, where it belongs to this one. */
async function begin(places: Places, source: Source, filling: State, earlier: State | undefined): Promise<void> {
  const isSame = earlier?.from === filling.from && earlier.to === filling.to;
  if (!isSame || !(await isUsable(places, source, filling))) await removeTree(places.fresh);
  await ensureDirectory(places.base, 0o700);
  await places.say(filling);
  await ensureDirectory(places.fresh, 0o700);
}

async function isUsable(places: Places, source: Source, { to }: State): Promise<boolean> {
  try {
    await using target = await openTarget(places.fresh, to);
    return isStillWanted(source.layers, target.layers);
  } catch {
    return false;
  }
}

async function filled(places: Places, source: Source, { to }: State, progress: Progress) {
  await using target = await openTarget(places.fresh, to);
  return await fill(source, target, progress);
}

/**
 * Puts the old driver's directories back, if nothing has been changed since.
 *
 * @throws Conflict: something was, which would be lost; NotFound: nothing is kept
 */
export async function undoMigration(root: string): Promise<State> {
  const places = new Places(root);
  const state = await places.state();
  if (state?.phase === "undone") {
    await places.clear();
    return state;
  }
  if (state === undefined || state.phase === "purging")
    throw new NotFound(`no migration of ${root} is kept to be undone`);
  if (state.phase === "undoing") {
    await finishUndo(places, state);
    return state;
  }
  if (state.phase === "filling") {
    await places.clear();
    return state;
  }
  if (state.phase === "switching") await finishSwitch(places, state);
  await using now = await openSource(root, state.to, false);
  const [image, old] = [join(root, "image", state.to), join(places.old, "image", state.from)];
  const writable = { driver: now.driver, layers: now.layers.rw.list(), sinceNs: BigInt(state.switched ?? 0) };
  const changed = await changedSince(image, old, writable);
  if (changed !== undefined) {
    const what = `layerkit migrate --purge, then --to ${state.from}, takes everything back as it is now`;
    throw new Conflict(`going back to ${state.from} would lose what has changed since: ${changed}; ${what}`);
  }
  await now[Symbol.asyncDispose]();
  await writeConfigs(places, now.containers, state.from);
  await syncFileSystem(root);
  const undoing: State = { ...state, phase: "undoing" };
  await places.say(undoing);
  await finishUndo(places, undoing);
  return state;
}

/** Deletes what a migration has kept of the old driver. @throws NotFound: nothing is kept; Conflict: it is not done */
export async function purgeMigration(root: string): Promise<State> {
  const places = new Places(root);
  const state = await places.state();
  if (state === undefined) throw new NotFound(`no migration of ${root} is kept`);
  if (state.phase !== "switched" && !isOver(state)) {
    throw new Conflict(`the migration to ${state.to} is not done: run layerkit migrate --to ${state.to}, or --undo`);
  }
  if (state.phase === "switched") await places.say({ ...state, phase: "purging" });
  await places.clear();
  return state;
}

/** There is nothing to go on with, or back to. */
function isOver(state: State | undefined): boolean {
  return state?.phase === "purging" || state?.phase === "undone";
}

function keptText({ from, to, phase }: State): string {
  if (phase === "switched") {
    return `what was of ${from} is kept since the migration to ${to}: layerkit migrate --purge deletes it, --undo goes back`;
  }
  return `the switch from ${from} to ${to} was cut short: run layerkit migrate ${phase === "undoing" ? "--undo" : `--to ${to}`}`;
}
