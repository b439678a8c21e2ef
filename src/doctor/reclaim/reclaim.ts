import { statfs } from "node:fs/promises";
import { messageOf } from "../../spec/index.js";
import { freedBy } from "../df/merge.js";
import { nothing, type Room, sumOf } from "../df/room.js";
import { walkAll } from "../df/walk-all.js";
import type { RootState } from "../root/root-state.js";
import { type Choice, chosenIn } from "./chosen.js";
import { doItem } from "./do-item.js";
import { type Doubts, doubtsOf } from "./doubts.js";
import type { Item } from "./item.js";
import { leftoversIn } from "./leftovers.js";

export interface ReclaimOptions extends Choice {
  /** Only tells what would be done. */
  readonly dryRun?: boolean;
  /** Somebody works in the root: what is under way there stays. */
  readonly isLive?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** What was freed, or would be; as `POST /layerkit/reclaim` answers. */
export interface Reclaimed extends Room {
  readonly Root: string;
  readonly DryRun: boolean;
  readonly Items: readonly ReclaimedItem[];
  /** What was left alone since it cannot be known whether anybody needs it: of which kind, and why. */
  readonly Refused: readonly { readonly Kind: keyof Doubts; readonly Why: readonly string[] }[];
  /** Bytes that the file system has free now beyond what it had before. */
  readonly DiskFreed?: number;
}

/** With the bytes and inodes that it frees: files that have names elsewhere stay. */
export interface ReclaimedItem extends Room {
  readonly Kind: Item["kind"];
  readonly Name: string;
  /** Why it is still there. */
  readonly Failed?: string;
}

/**
 * Frees what nobody needs in a data root, and what is chosen besides, in an order in which a crash at any moment leaves
 * nothing that is needed without its name, and the rest for the next time.
 *
 * @param hands what frees one thing; without, it is done on disk, for who owns the root
 */
export async function reclaim(
  state: RootState,
  { dryRun = false, isLive = false, signal, ...choice }: ReclaimOptions = {},
  hands: (item: Item) => Promise<void> = (item) => doItem(state, item),
): Promise<Reclaimed> {
  const doubts = doubtsOf(state);
  const { items: chosen, rest } = chosenIn(state, choice, doubts);
  const items = [...chosen, ...leftoversIn(rest, doubts, isLive)];
  const rooms = await roomsOf(items, signal);
  const before = await freeOn(state.root);
  const Items: ReclaimedItem[] = [];
  for (const [at, item] of items.entries()) {
    signal?.throwIfAborted();
    const why = dryRun ? undefined : await failureOf(() => hands(item));
    const failed = why !== undefined && { ...{ Bytes: 0, Inodes: 0 }, Failed: why };
    Items.push({ Kind: item.kind, Name: item.name, ...rooms[at]!, ...failed });
  }
  const Refused = refused(doubts, choice);
  const freed = dryRun ? {} : { DiskFreed: Math.max(0, (await freeOn(state.root)) - before) };
  return { Root: state.root, DryRun: dryRun, Items, Refused, ...sumOf(Items), ...freed };
}

async function failureOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function refused(doubts: Doubts, choice: Choice): Reclaimed["Refused"] {
  const asked: readonly (keyof Doubts)[] = [
    ...(["directories", "layers"] as const),
    ...(choice.images ? (["images"] as const) : []),
    ...(choice.volumes ? (["volumes"] as const) : []),
  ];
  return asked.map((Kind) => ({ Kind, Why: doubts[Kind] })).filter(({ Why }) => Why.length > 0);
}

/** By item. */
async function roomsOf(items: readonly Item[], signal: AbortSignal | undefined): Promise<Room[]> {
  const places = items.flatMap(({ paths }) => paths.map((path) => ({ path, stops: [] })));
  const rooms = freedBy(await walkAll(places, { signal }));
  const left = rooms.values();
  return items.map(({ paths }) => sumOf(paths.map(() => left.next().value ?? nothing)));
}

async function freeOn(path: string): Promise<number> {
  const { bfree, bsize } = await statfs(path);
  return bfree * bsize;
}
