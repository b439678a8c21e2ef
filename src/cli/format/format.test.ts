import { describe, expect, test } from "vitest";
import { binarySize, size } from "./size.js";
import { table } from "./table.js";
import { ago, goTime, span } from "./time.js";

describe("sizes", () => {
  test.for([
    [0, "0B"],
    [2, "2B"],
    [999, "999B"],
    [1000, "1kB"],
    [35_669, "35.7kB"],
    [999_949, "1MB"],
    [1_234_567, "1.23MB"],
    [117_000_000, "117MB"],
    [2 ** 53, "9.01PB"],
  ] as const)("%i bytes are %s", ([bytes, text]) => expect(size(bytes)).toBe(text));

  test("four digits where the docker command has four, and powers of 1024 for memory", () => {
    expect(size(35_669, 4)).toBe("35.67kB");
    expect(binarySize(25_276_502_016)).toBe("23.54GiB");
  });
});

describe("times", () => {
  test.for([
    [0.4, "Less than a second"],
    [1.9, "1 second"],
    [59, "59 seconds"],
    [60, "About a minute"],
    [119, "About a minute"],
    [120, "2 minutes"],
    [3599, "59 minutes"],
    [3600, "About an hour"],
    [5400, "2 hours"],
    [47 * 3600, "47 hours"],
    [48 * 3600, "2 days"],
    [14 * 86400, "2 weeks"],
    [60 * 86400, "2 months"],
    [730 * 86400, "2 years"],
  ] as const)("%d seconds are %s", ([seconds, text]) => expect(span(seconds)).toBe(text));

  test("a moment in the future is now", () => expect(ago(Date.now() / 1000 + 100)).toBe("Less than a second ago"));
  test("times print as Go prints them", () => expect(goTime(1_795_294_605)).toBe("2026-11-21 20:56:45 +0000 UTC"));
});

describe("tables", () => {
  test("columns are at least ten wide and three apart, the last one is not padded", () => {
    const head = ["REPOSITORY", "TAG", "IMAGE ID", "SIZE"];
    expect(table(head, [["demo", "1", "48d86db9d964", "35.7kB"]])).toEqual([
      "REPOSITORY   TAG       IMAGE ID       SIZE",
      "demo         1         48d86db9d964   35.7kB",
    ]);
  });
});
