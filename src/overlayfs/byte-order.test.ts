import fc from "fast-check";
import { test } from "vitest";
import { compareNames, encodeName } from "../spec/index.js";
import { byteLength, byteOrder } from "./byte-order.js";

const part = fc.constantFrom("a", "b", "\u00e9", "\ud7ff", "\ue000", "\uffee", "\u{1f600}", "\udc80", "\udcff");
const name = fc.array(part, { maxLength: 5 }).map((parts) => parts.join(""));

test("names stand in the order of their bytes, escaped ones and those beyond the basic plane among them", () => {
  fc.assert(fc.property(name, name, (a, b) => Math.sign(byteOrder(a, b)) === Math.sign(compareNames(a, b))));
});

test("a name is as long as its bytes", () => {
  fc.assert(fc.property(name, (text) => byteLength(text) === encodeName(text).length));
});
