import { expect, test } from "vitest";
import { Turns } from "./turns.js";

/** A step that ends when told to. */
function step(log: string[], name: string) {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const run = async () => {
    log.push(`${name} begins`);
    await ended;
    log.push(`${name} ends`);
  };
  return { run, end };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("readers run together, one that runs alone waits for all before it and keeps all after it waiting", async () => {
  const turns = new Turns();
  const log: string[] = [];
  const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => step(log, name));
  const all = [
    turns.shared("x", a!.run),
    turns.shared("x", b!.run),
    turns.alone("x", c!.run),
    turns.shared("x", d!.run),
  ];
  await settled();
  expect(log).toEqual(["a begins", "b begins"]);
  b!.end();
  await settled();
  expect(log).toEqual(["a begins", "b begins", "b ends"]);
  a!.end();
  await settled();
  expect(log.slice(3)).toEqual(["a ends", "c begins"]);
  c!.end();
  await settled();
  d!.end();
  await Promise.all(all);
  expect(log.slice(5)).toEqual(["c ends", "d begins", "d ends"]);
});

test("a failure reaches its caller and holds nobody up", async () => {
  const turns = new Turns();
  const failed = turns.alone("x", () => Promise.reject(new Error("no")));
  const next = turns.alone("x", async () => "yes");
  await expect(failed).rejects.toThrow("no");
  expect(await next).toBe("yes");
});

test("different things do not wait for each other", async () => {
  const turns = new Turns();
  const stuck = turns.alone("x", () => new Promise(() => {}));
  expect(await turns.alone("y", async () => "free")).toBe("free");
  void stuck;
});
