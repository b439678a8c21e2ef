import { expect, test } from "vitest";
import type { Path } from "../../spec/index.js";
import { ownerOfEntry } from "./owner-on-disk.js";

const ids = {
  uids: [
    { first: 0, onDisk: 100_000, size: 10 },
    { first: 10, onDisk: 500_000, size: 5 },
  ],
  gids: [{ first: 0, onDisk: 200_000, size: 65_536 }],
};
const onDisk = (uid: number, gid: number) => {
  const found = ownerOfEntry("d/f" as Path, { uid, gid }, { lenient: false, ids });
  return [found.uid, found.gid];
};

test("ids are counted through all ranges, one after the other", () => {
  expect(onDisk(0, 0)).toEqual([100_000, 200_000]);
  expect(onDisk(9, 65_535)).toEqual([100_009, 265_535]);
  expect([onDisk(10, 1)[0], onDisk(14, 1)[0]]).toEqual([500_000, 500_004]);
});

test("one that is already what 0 is on disk stays, as with dockerd", () => {
  expect(onDisk(100_000, 200_000)).toEqual([100_000, 200_000]);
});

test("one beyond all ranges is refused, with the entry's name", () => {
  expect(() => onDisk(15, 0)).toThrow('"d/f": owner 15:0 has no ids on disk');
  expect(() => onDisk(0, 65_536)).toThrow("owner 0:65536 has no ids on disk");
});
