import { setTimeout } from "node:timers/promises";

/** What passes time, and chance. */
export interface Time {
  /** Rejects with the signal's reason when it fires. */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 to below 1. */
  random(): number;
}

export const realTime: Time = {
  async pause(ms, signal) {
    await setTimeout(ms, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
  },
  now: Date.now,
  random: Math.random,
};
