import {
  type CheckEvent,
  checkRoot,
  Memory,
  mapOf,
  Readings,
  type Reclaimed,
  type ReclaimOptions,
  type RootMap,
  readRoot,
  reclaim,
  type Usage,
  usageOf,
} from "../doctor/index.js";
import { Forbidden } from "../spec/index.js";
import type { AbortOption } from "./images.js";
import { type RemovalParts, removing } from "./reclaim-live.js";

/** What is on disk, looked at from outside: without what the engine itself knows. */
export interface Doctor {
  /** What each directory in the driver's home is for. @param options `size`: what is no layer is measured, too */
  map(options?: { readonly size?: boolean } & AbortOption): Promise<RootMap>;
  /**
   * What is wrong with the root, told at the end; what the engine is at meanwhile may look half done.
   *
   * @param options `deep`: every byte of every layer is compared
   */
  check(options?: { readonly deep?: boolean } & AbortOption): AsyncIterable<CheckEvent>;
  /** What takes how much of the root. @param options `exact`: what was counted before is counted anew */
  usage(options?: { readonly exact?: boolean } & AbortOption): Promise<Usage>;
  /** Frees what nobody needs, and what is chosen besides. What is under way stays. */
  reclaim(options?: Omit<ReclaimOptions, "isLive">): Promise<Reclaimed>;
}

export interface DoctorParts extends RemovalParts {
  readonly root: string;
  /** Name of the storage driver. */
  readonly driver: string;
  /** Where it is kept what takes how much, for later times. */
  readonly cacheDirectory: string | undefined;
  readonly writable: boolean;
}

export function doctorOperations(parts: DoctorParts): Doctor {
  const { root, driver } = parts;
  const memory = Memory.of({ root, driver }, parts.cacheDirectory);
  const readings = new Readings();
  const read = () => readRoot(root, driver);
  // One at a time: what one frees the other would not find.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    check: async function* (options) {
      yield* checkRoot(await read(), { isLive: true, ...options });
    },
    map: async (options) => mapOf(await read(), options),
    usage: async ({ exact = false, signal } = {}) => {
      const state = await readRoot(root, driver, { brief: true, ...(!exact && { readings }) });
      const usage = await usageOf(state, { exact, signal, memory });
      await memory.save();
      return usage;
    },
    reclaim: async (options = {}) => {
      if (!parts.writable && !options.dryRun) throw new Forbidden(`data root ${root} was opened to be read only`);
      const work = async () => {
        const state = await read();
        return reclaim(state, { ...options, isLive: true }, removing(parts, state, read));
      };
      const done = turn.then(work);
      turn = done.catch(() => {});
      return await done;
    },
  };
}
