import { Memory, readRoot, type Usage, usageOf } from "../doctor/index.js";
import type { AbortOption } from "./images.js";

/** What is on disk, looked at from outside: without what the engine itself knows. */
export interface Doctor {
  /** What takes how much of the root. @param options `exact`: layers that were counted before are counted anew */
  usage(options?: { readonly exact?: boolean } & AbortOption): Promise<Usage>;
}

export function doctorOperations({ root, driver }: { readonly root: string; readonly driver: string }): Doctor {
  const memory = new Memory();
  return {
    usage: async ({ exact, signal } = {}) => usageOf(await readRoot(root, driver), { exact, signal, memory }),
  };
}
