import { expect, test } from "vitest";
import { relay } from "./relay.js";

const never = { replaces: () => false };

async function collected<T>(events: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
}

test("gives all that is told, in order, and ends with the work", async () => {
  const events = relay<number>(async (tell) => {
    tell(1);
    await new Promise((resolve) => setImmediate(resolve));
    tell(2);
    tell(3);
  }, never);
  expect(await collected(events)).toEqual([1, 2, 3]);
});

test("does not begin before it is read", async () => {
  let began = false;
  const events = relay<number>(async () => {
    began = true;
  }, never);
  await new Promise((resolve) => setImmediate(resolve));
  expect(began).toBe(false);
  await collected(events);
  expect(began).toBe(true);
});

test("throws what the work throws, after what it told", async () => {
  const events = relay<number>(async (tell) => {
    tell(1);
    throw new Error("broken");
  }, never);
  expect((await events.next()).value).toBe(1);
  await expect(events.next()).rejects.toThrow("broken");
});

test("keeps only the newest of what may be replaced while nobody reads, whatever came between", async () => {
  const replaces = (old: number, next: number) => old % 10 === next % 10;
  const events = relay<number>(
    async (tell) => {
      for (const event of [1, 11, 21, 2, 12, 1]) tell(event);
    },
    { replaces },
  );
  expect(await collected(events)).toEqual([12, 1]);
});

test("a reader who stops aborts the work and waits for its end", async () => {
  let ended = false;
  const events = relay<number>(async (tell, signal) => {
    tell(1);
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    await new Promise((resolve) => setImmediate(resolve));
    ended = true;
    signal.throwIfAborted();
  }, never);
  for await (const _ of events) break;
  expect(ended).toBe(true);
});

test("a signal reaches the work, and its reason comes back", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const events = relay<number>(
    (tell, signal) =>
      new Promise((_, reject) => {
        tell(1);
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
    { ...never, signal: controller.signal },
  );
  expect((await events.next()).value).toBe(1);
  controller.abort(reason);
  await expect(events.next()).rejects.toBe(reason);
});
