import fc from "fast-check";
import { expect, test } from "vitest";
import { goJSON, goJSONSorted, RawNumber } from "./index.js";

test("strings are escaped as Go does", () => {
  // The right side is what encoding/json of Go 1.19 prints.
  const ascii = String.raw`\u003ca\u003e\u0026 \"\\ \n\r\t\u0008\u000c\u0000\u001f`;
  const go = `"${ascii}\u007f ü \u{1f600} \\u2028\\u2029"`;
  expect(goJSON('<a>& "\\ \n\r\t\b\f\0\x1f\x7f ü \u{1f600} \u2028\u2029')).toBe(go);
});

test("what is not UTF-8 becomes the replacement character, a real one stays", () => {
  expect(goJSON("a\udcffb\ufffd")).toBe('"a\\ufffdb\ufffd"');
});

test("JSON.parse gives back any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(JSON.parse(goJSON(text))).toBe(text);
    }),
  );
});

test("an object keeps its order, a map is sorted by bytes, what is undefined is left out", () => {
  const map = new Map([
    ["b", 1],
    ["\u{1f600}", 2],
    ["\uffee", 3],
    ["10", 4],
    ["9", 5],
  ]);
  expect(goJSON({ z: map, a: undefined, b: null })).toBe(
    '{"z":{"10":4,"9":5,"b":1,"\uffee":3,"\u{1f600}":2},"b":null}',
  );
});

test("sorted form sorts at every depth, also keys that are numbers", () => {
  expect(goJSONSorted({ b: [{ d: 1, c: 2 }], 9: 1, 10: { y: 0, x: 0 } })).toBe(
    '{"10":{"x":0,"y":0},"9":1,"b":[{"c":2,"d":1}]}',
  );
  expect(goJSONSorted(JSON.parse('{"__proto__":{"b":1,"a":2}}'))).toBe('{"__proto__":{"a":2,"b":1}}');
});

test("integers beyond 2^53 keep their digits", () => {
  expect(goJSON({ a: new RawNumber("1700000000123456789"), b: 2n ** 63n })).toBe(
    '{"a":1700000000123456789,"b":9223372036854775808}',
  );
});

test("empty and missing items", () => {
  expect(goJSON({ a: [], b: {}, c: [undefined, null], d: true, e: -1, f: new Map() })).toBe(
    '{"a":[],"b":{},"c":[null,null],"d":true,"e":-1,"f":{}}',
  );
});
