import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { Slots } from "./slots.js";

/** Work that ends when told to. */
function work() {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { ended, end };
}

test("no more than so many run; who waits is told, and comes next", async () => {
  const slots = new Slots(2);
  const { signal } = new AbortController();
  const works = [work(), work(), work(), work()];
  const log: string[] = [];
  const runs = works.map(({ ended }, n) =>
    slots.run(
      async () => {
        log.push(`run ${n}`);
        await ended;
      },
      { signal, onWait: () => log.push(`wait ${n}`) },
    ),
  );
  expect(log).toEqual(["run 0", "run 1", "wait 2", "wait 3"]);
  works[1]!.end();
  await runs[1];
  await turn();
  expect(log.slice(4)).toEqual(["run 2"]);
  for (const { end } of works) end();
  await Promise.all(runs);
  expect(log.slice(5)).toEqual(["run 3"]);
});

test("work that fails frees its place; a signal takes one out of the line", async () => {
  const slots = new Slots(1);
  const { signal } = new AbortController();
  const first = work();
  const running = slots.run(() => first.ended.then(() => Promise.reject(new Error("broken"))), { signal });
  const impatient = new AbortController();
  const gone = slots.run(async () => "never", { signal: impatient.signal });
  const last = slots.run(async () => "ran", { signal });
  impatient.abort(new Error("enough"));
  await expect(gone).rejects.toThrow("enough");
  first.end();
  await expect(running).rejects.toThrow("broken");
  expect(await last).toBe("ran");
  await expect(slots.run(async () => "never", { signal: impatient.signal })).rejects.toThrow("enough");
  expect(await slots.run(async () => "ran", { signal })).toBe("ran");
});

test("0 is any number", async () => {
  const slots = new Slots(0);
  const { signal } = new AbortController();
  const works = Array.from({ length: 100 }, work);
  let running = 0;
  const runs = works.map(({ ended }) =>
    slots.run(
      () => {
        running++;
        return ended;
      },
      { signal },
    ),
  );
  expect(running).toBe(100);
  for (const { end } of works) end();
  await Promise.all(runs);
});

test("more places let in who waits; fewer let out first", async () => {
  const slots = new Slots(1);
  const { signal } = new AbortController();
  const works = Array.from({ length: 5 }, work);
  const running: number[] = [];
  const runs = works.map(({ ended }, n) =>
    slots.run(
      async () => {
        running.push(n);
        await ended;
      },
      { signal },
    ),
  );
  slots.resize(3);
  await turn();
  expect(running).toEqual([0, 1, 2]);
  slots.resize(1);
  works[0]!.end();
  works[1]!.end();
  await Promise.all(runs.slice(0, 2));
  await turn();
  expect(running).toEqual([0, 1, 2]);
  works[2]!.end();
  await runs[2];
  await turn();
  expect(running).toEqual([0, 1, 2, 3]);
  slots.resize(0);
  for (const { end } of works) end();
  await Promise.all(runs);
});
