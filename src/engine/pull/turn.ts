import type { Slots } from "../slots.js";

/** With fewer bytes than this before it, a layer waits for the network. */
const backlog = 512 << 10;
/** How often that is looked at. */
const lookMs = 500;

/**
 * Does `work`, unpacking a layer, when it is its turn. The turn ends with the work, or when the network is what the
 * layer waits for. So layers share a slow network, as many as may be fetched at once, and on a fast one take no more
 * threads, and their memory, than the processors can use.
 *
 * @param turns how many have theirs at once
 * @param waiting bytes that have come and are not unpacked; infinite once all have come
 */
export function inTurn<T>(
  turns: Slots,
  signal: AbortSignal,
  waiting: () => number,
  work: () => Promise<T>,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const turn = () =>
      new Promise<void>((end) => {
        const looking = setInterval(() => waiting() < backlog && end(), lookMs);
        const ended = () => {
          clearInterval(looking);
          end();
        };
        work().finally(ended).then(resolve, reject);
      });
    turns.run(turn, { signal }).catch(reject);
  });
}
