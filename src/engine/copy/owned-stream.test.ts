import { expect, test } from "vitest";
import { ownedStream } from "./owned-stream.js";

async function* three() {
  for (const byte of [1, 2, 3]) yield Uint8Array.of(byte);
}

function owned() {
  const owner = { freed: 0, [Symbol.asyncDispose]: async () => void owner.freed++ };
  return owner;
}

test("what a stream needs is freed once, at its end", async () => {
  const owner = owned();
  const stream = ownedStream(three(), owner);
  for await (const _ of stream) expect(owner.freed).toBe(0);
  expect(owner.freed).toBe(1);
  await stream.return?.();
  expect(owner.freed).toBe(1);
});

test("it is freed when the reader stops, also before it has begun", async () => {
  const [early, unread] = [owned(), owned()];
  for await (const _ of ownedStream(three(), early)) break;
  await ownedStream(three(), unread).return?.();
  expect([early.freed, unread.freed]).toEqual([1, 1]);
});

test("it is freed when reading fails", async () => {
  const owner = owned();
  const failing = (async function* () {
    yield Uint8Array.of(1);
    throw new Error("broken");
  })();
  const read = async () => {
    for await (const _ of ownedStream(failing, owner));
  };
  await expect(read()).rejects.toThrow("broken");
  expect(owner.freed).toBe(1);
});

test("it is freed when the signal fires before anybody reads; there is nothing to read then", async () => {
  const owner = owned();
  const abort = new AbortController();
  const stream = ownedStream(three(), owner, abort.signal);
  abort.abort();
  expect(owner.freed).toBe(1);
  expect((await stream.next()).done).toBe(true);
});
