/**
 * What `run` tells, as it tells it: the work starts with the first pull and goes on at its own pace. A reader who
 * stops early aborts it, and waits for its end.
 *
 * @param replaces whether an event that was not read yet may give way to one that comes later
 * @throws what `run` throws, after all it told
 */
export async function* relay<T>(
  run: (tell: (event: T) => void, signal: AbortSignal) => Promise<void>,
  { signal, replaces }: { readonly signal?: AbortSignal; readonly replaces: (old: T, next: T) => boolean },
): AsyncGenerator<T> {
  const stop = new AbortController();
  const queue: T[] = [];
  let wake = () => {};
  let ended = false;
  const tell = (event: T) => {
    const old = queue.findLastIndex((other) => replaces(other, event));
    if (old >= 0) queue.splice(old, 1);
    queue.push(event);
    wake();
  };
  const work = run(tell, signal ? AbortSignal.any([signal, stop.signal]) : stop.signal).finally(() => {
    ended = true;
    wake();
  });
  work.catch(() => undefined); // thrown below, or the reader is gone
  try {
    for (;;) {
      while (queue.length > 0) yield queue.shift()!;
      if (ended) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    stop.abort(new DOMException("the reader stopped", "AbortError"));
    await work.catch(() => undefined);
  }
  await work;
}
