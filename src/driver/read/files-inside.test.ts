import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FilesInside } from "./files-inside.js";

const outside = fs.mkdtempSync(join(tmpdir(), "files-inside-"));
const root = join(outside, "root");
afterAll(() => fs.rmSync(outside, { recursive: true, force: true }));

beforeAll(() => {
  fs.mkdirSync(join(root, "d/e"), { recursive: true });
  fs.writeFileSync(join(outside, "secret"), "secret");
  fs.writeFileSync(join(root, "d/e/f"), "content");
  fs.writeFileSync(join(root, "empty"), "");
  fs.writeFileSync(join(root, "large"), Buffer.alloc(700_000, "x"));
  fs.symlinkSync("e", join(root, "d/relative"));
  fs.symlinkSync("/d/e", join(root, "absolute"));
  fs.symlinkSync("../..", join(root, "d/climbing"));
  fs.symlinkSync("/etc/passwd", join(root, "file-link"));
});

function read(path: string, size: number): string {
  using files = new FilesInside(root);
  let text = "";
  for (const piece of files.content(path, size)) text += piece;
  return text;
}

describe("FilesInside", () => {
  test.for([0, 6, 7, 8, 1_000_000])("reads to the end, whatever size was expected (%i)", (size) => {
    expect(read("d/e/f", size)).toBe("content");
    expect(read("empty", size)).toBe("");
    expect(read("large", size)).toHaveLength(700_000);
  });

  test("follows symlinks on the way, inside", () => {
    expect(read("d/relative/f", 7)).toBe("content");
    expect(read("absolute/f", 7)).toBe("content");
    expect(() => read("d/climbing/secret", 6)).toThrow("ENOENT");
    expect(() => read("d/climbing/../../secret", 6)).toThrow("ENOENT");
  });

  test("opens nothing but files", () => {
    expect(() => read("file-link", 1)).toThrow("ELOOP");
    expect(() => read("d", 1)).toThrow("EISDIR");
    expect(() => read("missing", 1)).toThrow("ENOENT");
    expect(() => read("empty/x", 1)).toThrow("ENOTDIR");
  });
});
