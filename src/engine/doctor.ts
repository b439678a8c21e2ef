import {
  type CheckEvent,
  checkRoot,
  Memory,
  mapOf,
  type RootMap,
  readRoot,
  type Usage,
  usageOf,
} from "../doctor/index.js";
import type { AbortOption } from "./images.js";

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
}

export function doctorOperations({ root, driver }: { readonly root: string; readonly driver: string }): Doctor {
  const memory = new Memory();
  return {
    check: async function* (options) {
      yield* checkRoot(await readRoot(root, driver), { isLive: true, ...options });
    },
    map: async (options) => mapOf(await readRoot(root, driver), options),
    usage: async ({ exact, signal } = {}) => usageOf(await readRoot(root, driver), { exact, signal, memory }),
  };
}
