import { expect, test } from "vitest";
import { imageIDOf, parseImageConfig } from "./index.js";

const diffID = `sha256:${"1".repeat(64)}`;
const config = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

test("the id of a known config is the one Docker gives it", () => {
  const text =
    '{"comment": "abc", "rootfs": {"type": "layers", "diff_ids": ["2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"]}}';
  expect(imageIDOf(config(text))).toBe("sha256:8d25a9c45df515f9d0fe8e4a6b1c64dd3b965a84790ddbcc7954bb9bc89eb993");
});

test("reads layers bottom first, and says `layers` where the type is missing", () => {
  const parsed = parseImageConfig(config({ os: "linux", rootfs: { diff_ids: [diffID] }, history: null }));
  expect(parsed).toMatchObject({ os: "linux", rootfs: { type: "layers", diff_ids: [diffID] } });
});

test("an image without layers is one", () => {
  expect(parseImageConfig(config({ rootfs: { type: "layers" } })).rootfs.diff_ids).toEqual([]);
});

test("steps that made no layer are not counted", () => {
  const history = [{ created_by: "a" }, { created_by: "b", empty_layer: true }];
  expect(parseImageConfig(config({ rootfs: { diff_ids: [diffID] }, history })).history).toHaveLength(2);
});

test.for([
  ["", /Unexpected end/],
  ["{", /JSON/],
  ["null", /not a JSON object/],
  ["[]", /not a JSON object/],
  ['"x"', /not a JSON object/],
  [{}, /no RootFS key/],
  [{ rootfs: null }, /no RootFS key/],
  [{ rootfs: "x" }, /no RootFS key/],
  [{ rootfs: [] }, /no RootFS key/],
  [{ rootfs: { diff_ids: "x" } }, /not a list of digests/],
  [{ rootfs: { diff_ids: [1] } }, /not a list of digests/],
  [{ rootfs: { diff_ids: ["sha256:12"] } }, /invalid digest/],
  [{ rootfs: { diff_ids: [] }, history: {} }, /history is not a list/],
  [{ rootfs: { diff_ids: [] }, history: ["x"] }, /history is not a list of steps/],
  [{ rootfs: { diff_ids: [] }, history: [{}] }, /too many non-empty layers in History section/],
  [{ rootfs: { diff_ids: [] }, os: 1 }, /os is not text/],
  [{ rootfs: { diff_ids: [] }, config: [] }, /config is not an object/],
] as const)("refuses %j", ([value, why]) => {
  const bytes = config(value);
  expect(() => parseImageConfig(bytes)).toThrow(why);
  expect(() => parseImageConfig(bytes)).toThrow(`invalid image config ${imageIDOf(bytes)}: `);
});
