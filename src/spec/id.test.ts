import { expect, test } from "vitest";
import { type ImageID, isErrno, messageOf, NotFound, randomID, sha256, shortID } from "./index.js";

test("random ids are 64 hex digits, and no two alike", () => {
  const ids = Array.from({ length: 2000 }, randomID);
  expect(new Set(ids).size).toBe(ids.length);
  // One in three hundred would begin with twelve decimal digits, which as a host name read as a number.
  for (const id of ids) expect(id).toMatch(/^(?!\d{12})[0-9a-f]{64}$/);
});

test("the short form is the first twelve digits, of an image's id without sha256:", () => {
  const id = sha256("x") as ImageID;
  expect(shortID(id)).toBe(id.slice(7, 19));
  expect(shortID(id.slice(7))).toBe(id.slice(7, 19));
});

test("errors have one line, a name, a code and a cause", () => {
  const cause = Object.assign(new Error("no such file"), { code: "ENOENT" });
  const error = new NotFound("config is missing", { cause });
  expect(error).toMatchObject({ name: "NotFound", code: "not-found", cause });
  expect([messageOf(error), messageOf("text"), messageOf(undefined)]).toEqual([
    "config is missing",
    "text",
    "undefined",
  ]);
  expect(isErrno(cause, "EEXIST", "ENOENT")).toBe(true);
  expect(isErrno(cause, "EEXIST")).toBe(false);
  expect(isErrno("ENOENT", "ENOENT")).toBe(false);
});
