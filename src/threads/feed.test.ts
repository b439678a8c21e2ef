import { MessageChannel } from "node:worker_threads";
import { describe, expect, test, vi } from "vitest";
import { Feed } from "./feed.js";
import { Inbox } from "./inbox.js";
import type { FeedMessage } from "./messages.js";
import { recycle, recycled } from "./recycle.js";

/** A feed whose other end is in this thread. */
function pair(onBytes?: (taken: number) => void) {
  const sent: FeedMessage[] = [];
  const inbox = new Inbox((used, transfer = []) => feed.used(structuredClone(used, { transfer: [...transfer] })));
  const feed = new Feed((message, transfer = []) => {
    sent.push(message);
    inbox.push(structuredClone(message, { transfer: [...transfer] }));
  }, onBytes);
  return { feed, inbox, sent };
}

async function* pieces(count: number, size: number, onNext: (index: number) => void = () => {}) {
  for (let index = 0; index < count; index++) {
    onNext(index);
    yield Buffer.alloc(size, index);
  }
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const bytes of stream) all.push(bytes);
  return Buffer.concat(all);
}

/** @returns how many buffers have been made since, in this thread */
function countingBlocks(): () => number {
  const { ArrayBuffer: real } = globalThis;
  let count = 0;
  vi.stubGlobal(
    "ArrayBuffer",
    class extends real {
      constructor(length: number) {
        super(length);
        count++;
      }
    },
  );
  return () => {
    vi.unstubAllGlobals();
    return count;
  };
}

describe("Feed and Inbox", () => {
  test.for([
    [0, 1],
    [1, 1],
    [300_000, 1],
    [3, 5_000_000],
    [7, 256 << 10],
  ] as const)("%i pieces of %i bytes arrive as they are, told to the last byte", async ([count, size]) => {
    let taken = 0;
    const { feed, inbox } = pair((bytes) => {
      taken = bytes;
    });
    const [, got] = await Promise.all([feed.run(pieces(count, size)), collect(inbox)]);
    expect(got.equals(await collect(pieces(count, size)))).toBe(true);
    expect(taken).toBe(count * size);
  });

  test("small pieces are gathered", async () => {
    const { feed, inbox, sent } = pair();
    await Promise.all([feed.run(pieces(10_000, 100)), collect(inbox)]);
    expect(sent.length).toBeLessThan(10);
  });

  test("the pieces of the stream stay the stream's", async () => {
    const { feed, inbox } = pair();
    const piece = Buffer.from("abc");
    await Promise.all([feed.run(stream()), collect(inbox)]);
    expect(piece.toString()).toBe("abc");
    async function* stream() {
      yield piece;
      yield piece;
    }
  });

  test("pieces that are kept stay as they are, to whatever the others are given back", async () => {
    const { feed, inbox } = pair();
    const kept: Uint8Array[] = [];
    const running = feed.run(pieces(40, 512 << 10));
    let at = 0;
    for await (const piece of inbox) {
      if (at++ % 3 === 0) kept.push(piece);
      else recycle(piece);
    }
    await running;
    expect(kept.map((piece) => [...new Set(piece)])).toEqual(kept.map((_, index) => [3 * index]));
  });

  test("pieces given back are filled again, and empty to who still has them", async () => {
    const { feed, inbox, sent } = pair();
    const running = feed.run(pieces(40, 512 << 10));
    const seen: Uint8Array[] = [];
    const made = countingBlocks();
    for await (const piece of recycled(inbox)) seen.push(piece);
    await running;
    expect(sent).toHaveLength(41);
    expect(made()).toBeLessThan(8);
    expect(seen.every((piece) => piece.length === 0)).toBe(true);
  });

  test("what came from no other thread cannot be given back", () => {
    const piece = Buffer.from("abc");
    recycle(piece);
    expect(piece.toString()).toBe("abc");
  });

  test("what is not used up stops the stream from being read further", async () => {
    const { feed, inbox } = pair();
    let read = 0;
    const running = feed.run(
      pieces(100, 1 << 20, (index) => {
        read = index;
      }),
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(read).toBeLessThan(8);
    await Promise.all([running, collect(inbox)]);
    expect(read).toBe(99);
  });

  test("a stream that fails is told from all other failures", async () => {
    const { feed } = pair();
    const failure = new Error("unplugged");
    async function* broken() {
      yield Buffer.alloc(1);
      throw failure;
    }
    await expect(feed.run(broken())).rejects.toBe(failure);
    expect(feed.failedSource).toBe(true);
  });

  test("a break is felt while the stream keeps it waiting, and the stream is told when it can be", async () => {
    const { feed } = pair();
    let ended = false;
    let arrive = () => {};
    const running = feed.run(slow());
    await new Promise((resolve) => setImmediate(resolve));
    feed.break(new Error("stop it"));
    await expect(running).rejects.toThrow("stop it");
    arrive();
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(true);
    async function* slow() {
      try {
        yield Buffer.alloc(1);
        await new Promise<void>((resolve) => {
          arrive = resolve;
        });
        yield Buffer.alloc(1);
      } finally {
        ended = true;
      }
    }
  });

  test("a break is felt while nobody uses anything up", async () => {
    const { feed } = pair();
    let ended = false;
    const running = feed.run(endless());
    await new Promise((resolve) => setImmediate(resolve));
    feed.break(new Error("stop it"));
    await expect(running).rejects.toThrow("stop it");
    expect(ended).toBe(true);
    async function* endless() {
      try {
        for (;;) yield Buffer.alloc(1 << 20);
      } finally {
        ended = true;
      }
    }
  });

  test("a reader that stops early can go on", async () => {
    const { feed, inbox } = pair();
    const running = feed.run(pieces(3, 256 << 10));
    let first = 0;
    for await (const bytes of inbox) {
      first = bytes.length;
      break;
    }
    const rest = await collect(inbox);
    await running;
    expect(first + rest.length).toBe(3 * (256 << 10));
    expect(await collect(inbox)).toHaveLength(0);
  });

  test("that it is to stop is heard between pieces, however many are waiting", async () => {
    const { port1, port2 } = new MessageChannel();
    const inbox = new Inbox(() => {});
    port2.once("message", () => inbox.fail(new Error("enough")));
    for (let at = 0; at < 1000; at++) inbox.push({ bytes: new Uint8Array(1) });
    let taken = 0;
    const reading = (async () => {
      for await (const _ of inbox) if (++taken === 1) port1.postMessage("stop");
    })();
    await expect(reading).rejects.toThrow("enough");
    expect(taken).toBeLessThan(1000);
    port1.close();
  });

  test("the reader gets a failure before what is waiting", async () => {
    const { inbox } = pair();
    inbox.push({ bytes: Buffer.alloc(1) });
    inbox.fail(new Error("gone"));
    await expect(collect(inbox)).rejects.toThrow("gone");
  });
});
