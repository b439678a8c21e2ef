import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { readElf } from "./elf.js";
import { collectPrograms } from "./programs.js";

const programs = ["sh", "ls", "cat", "grep", "tar"];

describe("collectPrograms", () => {
  test.for(programs)("finds the libraries of %s that ldd finds", async (name) => {
    const path = execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
    const linked = execFileSync("ldd", [path], { encoding: "utf8" });
    const libraries = [...linked.matchAll(/^\s*(?:\S+ => )?(\/\S+)/gm)].map(([, library]) => basename(library ?? ""));
    const found = (await collectPrograms([name])).map((file) => basename(file.path));
    expect(new Set(found)).toEqual(new Set([name, ...libraries]));
  });

  test("takes a library that several programs need once", async () => {
    const paths = (await collectPrograms(programs)).map((file) => file.path);
    expect(paths.length).toBe(new Set(paths).size);
  });

  test("leaves out what is not there", async () => {
    expect(await collectPrograms(["no-such-program"])).toEqual([]);
  });
});

describe("readElf", () => {
  test("tells the interpreter of a program", () => {
    expect(readElf(readFileSync(process.execPath))?.interpreter).toMatch(/^\/lib.*\/ld-.*/);
  });

  test("takes a script for no program", () => {
    expect(readElf(Buffer.from("#!/bin/sh\n".padEnd(100, "#")))).toBeUndefined();
  });
});
