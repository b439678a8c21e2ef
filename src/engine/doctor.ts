import {
  type CheckEvent,
  checkRoot,
  Memory,
  mapOf,
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
  /** What takes how much of the root. @param options `exact`: layers that were counted before are counted anew */
  usage(options?: { readonly exact?: boolean } & AbortOption): Promise<Usage>;
  /** Frees what nobody needs, and what is chosen besides. What is under way stays. */
  reclaim(options?: Omit<ReclaimOptions, "isLive">): Promise<Reclaimed>;
}

export interface DoctorParts extends RemovalParts {
  readonly root: string;
  /** Name of the storage driver. */
  readonly driver: string;
  readonly writable: boolean;
}

export function doctorOperations(parts: DoctorParts): Doctor {
  const { root, driver } = parts;
  const memory = new Memory();
  const read = () => readRoot(root, driver);
  // One at a time: what one frees the other would not find.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    check: async function* (options) {
      yield* checkRoot(await read(), { isLive: true, ...options });
    },
    map: async (options) => mapOf(await read(), options),
    usage: async ({ exact, signal } = {}) =>
      usageOf(await readRoot(root, driver, { brief: true }), { exact, signal, memory }),
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
