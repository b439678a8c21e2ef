import fc from "fast-check";
import { expect, test } from "vitest";
import { goJSON, RawNumber } from "./go-json.js";
import { parseJSON } from "./parse-json.js";

test("integers beyond 2^53 come out of a round trip digit for digit", () => {
  const text = '{"a":18446744073709551615,"b":[-9223372036854775808,1.5,1],"c":"99999999999999999999"}';
  expect(goJSON(parseJSON(text))).toBe(text);
  expect((parseJSON(text) as { a: RawNumber }).a).toBeInstanceOf(RawNumber);
});

test("everything else means what JSON.parse reads", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const text = JSON.stringify({ value, long: '1234567890123456 \\" 1234567890123456789' });
      expect(goJSON(parseJSON(text))).toBe(goJSON(JSON.parse(text)));
    }),
  );
});

test("what is not JSON is refused, with big numbers in it too", () => {
  expect(() => parseJSON("{12345678901234567890}")).toThrow(SyntaxError);
  expect(() => parseJSON('{"a":12345678901234567890')).toThrow(SyntaxError);
});
