import { expect, test } from "vitest";
import { messageOf } from "./errors.js";

test("a message is one line, whatever it quotes", () => {
  expect(messageOf(new Error('unexpected token in "\0\n\nno\tJSON\u001b[1m"'))).toBe(
    'unexpected token in " no JSON [1m"',
  );
  expect(messageOf("plain text")).toBe("plain text");
});
