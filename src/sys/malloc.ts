import { libc } from "./libc.js";

/** @see mallopt(3) */
const M_ARENA_MAX = -8;

/**
 * From now on threads of this process share so many of malloc's arenas; by itself glibc has eight a processor, each
 * with free memory that the others do not get. A C library that has none is left as it is.
 */
export function limitArenas(count: number): void {
  try {
    libc.mallopt(M_ARENA_MAX, count);
  } catch {
    // No such function.
  }
}

/**
 * Gives the kernel back what has been freed and lies between what is in use: by itself glibc gives back only ends. A C
 * library that has no such function is left as it is.
 */
export function trimMalloc(): void {
  try {
    libc.malloc_trim(0);
  } catch {
    // No such function.
  }
}
