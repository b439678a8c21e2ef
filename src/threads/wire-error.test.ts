import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { InvalidParameter, isErrno } from "../spec/index.js";
import { labelled, packError, unpackError } from "./wire-error.js";

/** As between threads. */
const sent = (error: unknown) => unpackError(structuredClone(packError(error)));

describe("errors between threads", () => {
  test("keep class, message and stack", () => {
    const error = new InvalidParameter("bad name");
    expect(sent(error)).toBeInstanceOf(InvalidParameter);
    expect(sent(error)).toMatchObject({ code: "invalid-parameter", message: "bad name", stack: error.stack });
  });

  test("keep the errno of a system call", () => {
    const error = thrownBy(() => readFileSync("/nowhere/at/all"));
    expect(isErrno(sent(error), "ENOENT")).toBe(true);
    expect(sent(error)).toMatchObject({ syscall: "open", path: "/nowhere/at/all", errno: -2 });
  });

  test("of any value have one line", () => {
    expect(sent("just text")).toMatchObject({ message: "just text" });
  });

  test("a label goes in front, the rest stays, the original is the cause", () => {
    const error = new InvalidParameter("bad name");
    expect(labelled("layer 3", error)).toBeInstanceOf(InvalidParameter);
    expect(labelled("layer 3", error)).toMatchObject({ message: "layer 3: bad name", cause: error });
    expect(
      isErrno(
        labelled(
          "layer 3",
          thrownBy(() => readFileSync("/nowhere")),
        ),
        "ENOENT",
      ),
    ).toBe(true);
  });
});

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("it did not throw");
}
