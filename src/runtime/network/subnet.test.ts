import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addressText,
  contains,
  firstAddress,
  freeAddress,
  hardwareAddress,
  overlap,
  parseAddress,
  parseSubnet,
  subnetText,
} from "./subnet.js";

const address = fc.ipV4();
const subnet = fc
  .tuple(address, fc.integer({ min: 1, max: 30 }))
  .map(([text, prefix]) => parseSubnet(`${text}/${prefix}`));

test("an address is read and written back", () => {
  fc.assert(fc.property(address, (text) => addressText(parseAddress(text)) === text));
});

test("a subnet has its bits in common: what it contains begins with the same as binary text", () => {
  const binary = (value: number) => value.toString(2).padStart(32, "0");
  fc.assert(
    fc.property(subnet, address, (range, text) => {
      const same = binary(range.base).slice(0, range.prefix) === binary(parseAddress(text)).slice(0, range.prefix);
      expect(contains(range, parseAddress(text))).toBe(same);
      expect(parseSubnet(subnetText(range))).toEqual(range);
    }),
  );
});

test("two subnets overlap when one holds the ends of the other", () => {
  fc.assert(fc.property(subnet, subnet, (a, b) => overlap(a, b) === overlap(b, a)));
  expect(overlap(parseSubnet("10.0.0.0/8"), parseSubnet("10.9.0.0/16"))).toBe(true);
  expect(overlap(parseSubnet("10.8.0.0/16"), parseSubnet("10.9.0.0/16"))).toBe(false);
});

test("addresses are given out once each, until none is left", () => {
  const range = parseSubnet("192.168.7.0/29");
  const taken = new Set([firstAddress(range)]);
  for (let next = freeAddress(range, taken); next !== undefined; next = freeAddress(range, taken)) taken.add(next);
  expect([...taken].map(addressText)).toEqual([1, 2, 3, 4, 5, 6].map((host) => `192.168.7.${host}`));
});

test("hardware addresses are those that Docker makes", () => {
  expect(hardwareAddress(parseAddress("172.17.0.2"))).toBe("02:42:ac:11:00:02");
});

test.for(["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "a.b.c.d", "1.2.3.4/0", "1.2.3.4/31", "1.2.3.4/", "-1.2.3.4/8"])(
  "%j is no subnet",
  (text) => {
    expect(() => parseSubnet(text)).toThrow(/invalid IPv4/);
  },
);
