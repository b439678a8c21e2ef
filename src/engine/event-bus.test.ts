import { expect, test } from "vitest";
import { goJSON, nowNs } from "../spec/index.js";
import { EventBus } from "./event-bus.js";

async function all(events: AsyncIterable<{ Action: string }>): Promise<string[]> {
  const actions: string[] = [];
  for await (const { Action } of events) actions.push(Action);
  return actions;
}

const past = () => ({ untilNs: nowNs() });

test("the last 256 are kept, and replayed up to a time that has passed", async () => {
  const bus = new EventBus();
  for (let n = 0; n < 300; n++) bus.emit("container", `a${n}`, "id", { name: "x" });
  const replayed = await all(bus.read(past()));
  expect(replayed).toHaveLength(256);
  expect([replayed[0], replayed.at(-1)]).toEqual(["a44", "a299"]);
});

test("without a time to begin at only new ones come, from the call on, until the signal", async () => {
  const bus = new EventBus();
  bus.emit("image", "before", "id", {});
  const abort = new AbortController();
  const read = bus.read({ signal: abort.signal });
  bus.emit("image", "after", "id", {});
  expect(bus.readers).toBe(1);
  abort.abort();
  expect(await all(read)).toEqual(["after"]);
  expect(bus.readers).toBe(0);
});

test("a reader that waits is woken", async () => {
  const bus = new EventBus();
  const reader = bus.read({ sinceNs: 0n })[Symbol.asyncIterator]();
  const next = reader.next();
  bus.emit("volume", "create", "v", { driver: "local" });
  expect((await next).value).toMatchObject({ Type: "volume", Action: "create", Actor: { ID: "v" } });
  await reader.return?.();
  expect(bus.readers).toBe(0);
});

test("an event has Docker's keys in its order, nanoseconds to the last digit", async () => {
  const bus = new EventBus();
  bus.emit("container", "create", "c1", { name: "n", image: "i:1", a: "b" });
  for await (const event of bus.read(past())) {
    expect(goJSON(event)).toMatch(
      /^\{"status":"create","id":"c1","from":"i:1","Type":"container","Action":"create","Actor":\{"ID":"c1","Attributes":\{"a":"b","image":"i:1","name":"n"\}\},"scope":"local","time":\d{10},"timeNano":\d{19}\}$/,
    );
  }
});

test("filters: or within a key, and between keys; an event by what is before its colon", async () => {
  const bus = new EventBus();
  bus.emit("container", "create", "c1", { name: "one", image: "i:1", l: "1" });
  bus.emit("container", "exec_start: ls ", "c2", { name: "two", image: "j:1" });
  bus.emit("image", "tag", "sha256:aa", { name: "i:1" });
  const read = (filters: Record<string, string[]>) => all(bus.read({ ...past(), filters }));
  expect(await read({ type: ["image"] })).toEqual(["tag"]);
  expect(await read({ event: ["exec_start", "tag"] })).toEqual(["exec_start: ls ", "tag"]);
  expect(await read({ container: ["one", "c2"] })).toEqual(["create", "exec_start: ls "]);
  expect(await read({ container: ["one"], event: ["tag"] })).toEqual([]);
  expect(await read({ image: ["i"] })).toEqual(["create", "tag"]);
  expect(await read({ label: ["l=1"] })).toEqual(["create"]);
  expect(() => bus.read({ filters: { zz: ["1"] } })).toThrow("Invalid filter 'zz'");
});

test("an end before the beginning is refused", () => {
  expect(() => new EventBus().read({ sinceNs: 2_000_000_000n, untilNs: 1_000_000_000n })).toThrow(
    "`since` time (2) cannot be after `until` time (1)",
  );
});

test("a reader that reads nothing is let go, and memory stays bounded", async () => {
  const bus = new EventBus();
  const read = bus.read();
  for (let n = 0; n < 70_000; n++) bus.emit("daemon", "x", "id", {});
  expect(bus.readers).toBe(0);
  expect((await all(read)).length).toBeLessThan(70_000);
});
