import { expect, test } from "vitest";
import { Undo } from "./index.js";

test("takes steps back, last first, when it was not done", async () => {
  const taken: number[] = [];
  {
    await using undo = new Undo();
    for (const n of [1, 2, 3]) undo.defer(() => taken.push(n));
  }
  expect(taken).toEqual([3, 2, 1]);
});

test("takes nothing back once it is done, and each step only once", async () => {
  const taken: number[] = [];
  const undo = new Undo();
  undo.defer(() => taken.push(1));
  undo.done();
  undo.defer(() => taken.push(2));
  await undo[Symbol.asyncDispose]();
  await undo[Symbol.asyncDispose]();
  expect(taken).toEqual([2]);
});

test("waits for each step before the next one", async () => {
  const taken: string[] = [];
  {
    await using undo = new Undo();
    undo.defer(() => taken.push("first"));
    undo.defer(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      taken.push("second");
    });
  }
  expect(taken).toEqual(["second", "first"]);
});

test("a step that fails stops none, and is told at the end", async () => {
  const taken: number[] = [];
  const undo = new Undo();
  undo.defer(() => taken.push(1));
  undo.defer(() => Promise.reject(new Error("first to fail")));
  undo.defer(() => taken.push(3));
  undo.defer(() => {
    throw new Error("really the first");
  });
  await expect(undo[Symbol.asyncDispose]()).rejects.toThrow("really the first");
  expect(taken).toEqual([3, 1]);
});
