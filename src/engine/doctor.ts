import { Memory, mapOf, type RootMap, readRoot, type Usage, usageOf } from "../doctor/index.js";
import type { AbortOption } from "./images.js";

/** What is on disk, looked at from outside: without what the engine itself knows. */
export interface Doctor {
  /** What each directory in the driver's home is for. @param options `size`: what is no layer is measured, too */
  map(options?: { readonly size?: boolean } & AbortOption): Promise<RootMap>;
  /** What takes how much of the root. @param options `exact`: layers that were counted before are counted anew */
  usage(options?: { readonly exact?: boolean } & AbortOption): Promise<Usage>;
}

export function doctorOperations({ root, driver }: { readonly root: string; readonly driver: string }): Doctor {
  const memory = new Memory();
  return {
    map: async (options) => mapOf(await readRoot(root, driver), options),
    usage: async ({ exact, signal } = {}) => usageOf(await readRoot(root, driver), { exact, signal, memory }),
  };
}
