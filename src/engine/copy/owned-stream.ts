/**
 * A stream and what it needs to be read: that is freed at the stream's end, when the reader stops, and when `signal`
 * fires before anybody has begun to read. To be read once.
 */
export function ownedStream(
  stream: AsyncIterable<Uint8Array>,
  owned: AsyncDisposable,
  signal?: AbortSignal,
): AsyncIterableIterator<Uint8Array> {
  const reader = stream[Symbol.asyncIterator]();
  let begun = false;
  let freed: Promise<void> | undefined;
  const free = () => {
    signal?.removeEventListener("abort", onAbort);
    freed ??= Promise.resolve(owned[Symbol.asyncDispose]());
    return freed;
  };
  const onAbort = () => {
    if (!begun) void free().catch(() => {});
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      begun = true;
      if (freed) return { done: true, value: undefined };
      try {
        const result = await reader.next();
        if (result.done) await free();
        return result;
      } catch (error) {
        await free();
        throw error;
      }
    },
    async return() {
      try {
        await reader.return?.();
      } finally {
        await free();
      }
      return { done: true, value: undefined };
    },
  };
}
