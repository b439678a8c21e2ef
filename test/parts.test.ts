import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";

/** A part (a folder of `src/`), and the parts it may import. `.` is `src/index.ts`, the library's face. */
const sees: Readonly<Record<string, string>> = {
  spec: "",
  overlayfs: "spec",
  sys: "spec",
  threads: "spec",
  disk: "spec sys",
  archive: "spec overlayfs sys",
  driver: "spec overlayfs sys disk",
  layer: "spec overlayfs disk threads archive driver",
  image: "spec disk threads archive layer",
  migrate: "spec sys disk threads driver layer image",
  doctor: "spec overlayfs sys disk threads archive driver layer image",
  runtime: "spec sys disk threads",
  registry: "spec",
  // What a user keeps at home: for commands, never for the daemon.
  "registry/credentials": "spec",
  engine: "spec overlayfs sys disk threads archive driver layer image migrate doctor registry runtime",
  config: "spec",
  daemon: "spec sys engine",
  // overlayfs and archive: cp makes tars of local files, and files of tars. sys: raw terminals.
  cli: "spec sys config overlayfs archive migrate doctor registry/credentials engine daemon cli/tour",
  // The tour makes a sample image of its own, and shows what the kernel has: it is no client like the other commands.
  "cli/tour": "spec overlayfs sys archive engine cli",
  ".": "spec registry engine",
};

interface Import {
  /** Below `src/`, with `.ts`. */
  readonly from: string;
  /** Below `src/` with `.ts`; for a package or a module of Node its name. */
  readonly to: string;
  /** Nothing of it is loaded. */
  readonly forTypes: boolean;
}

const src = new URL("../../src/", import.meta.url).pathname;
const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const imports = files.flatMap(importsOf);

/** What a file imports, for types alone too; files a thread starts with, by `new URL`, are no imports. */
function importsOf(from: string): Import[] {
  const text = readFileSync(join(src, from), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const specifiers = /(\b(?:im|ex)port type\b[^;"]*?)?\b(?:from|import|import\(|require\()\s*"([^"]+)"/g;
  return [...text.matchAll(specifiers)].map(([, types, to = ""]) => ({
    from,
    forTypes: types !== undefined,
    to: to.startsWith(".") ? join(dirname(from), to).replace(/\.js$/, ".ts") : to,
  }));
}

const partOf = (file: string) => Object.keys(sees).findLast((part) => file.startsWith(`${part}/`)) ?? dirname(file);
const inside = imports.filter(({ to }) => files.includes(to));
const outside = imports.filter(({ to }) => !files.includes(to));
const shown = (found: readonly Import[]) => found.map(({ from, to }) => `${from} imports ${to}`);

test("every folder of src/ is a part with a rule", () => {
  expect(Object.keys(sees)).toEqual(expect.arrayContaining([...new Set(files.map(partOf))]));
});

describe("imports", () => {
  test.for(Object.entries(sees))("%s sees only: %s", ([part, others]) => {
    const allowed = [part, ...others.split(" ")];
    const wrong = inside.filter(({ from, to }) => partOf(from) === part && !allowed.includes(partOf(to)));
    expect(shown(wrong)).toEqual([]);
  });

  test("other parts are seen by their face, index.ts", () => {
    const wrong = inside.filter(({ from, to }) => partOf(from) !== partOf(to) && !isFace(to));
    expect(shown(wrong)).toEqual([]);
  });

  test("inside a part, files import each other and not their own face", () => {
    const wrong = inside.filter(({ from, to }) => !isTest(from) && isFace(to) && partOf(from) === partOf(to));
    expect(shown(wrong)).toEqual([]);
  });

  test("overlayfs needs nothing of Node, so that it runs in a browser", () => {
    const product = imports.filter(({ from }) => partOf(from) === "overlayfs" && !isTest(from));
    const wrong = product.filter(({ to, forTypes }) => !forTypes && partOf(to) !== "overlayfs");
    expect(shown(wrong)).toEqual([]);
  });

  test("foreign code is called in sys alone", () => {
    expect(shown(outside.filter(({ from, to }) => to === "koffi" && partOf(from) !== "sys"))).toEqual([]);
  });

  test("no file imports itself on any way round", () => {
    expect(cycles()).toEqual([]);
  });
});

function isFace(file: string): boolean {
  return file === `${partOf(file)}/index.ts`;
}

function isTest(file: string): boolean {
  return file.endsWith(".test.ts");
}

/** Each way along imports that comes back to a file it went through. */
function cycles(): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]) => {
    if (way.includes(file)) found.push([...way.slice(way.indexOf(file)), file].join(" -> "));
    if (way.includes(file) || done.has(file)) return;
    for (const { to } of inside.filter(({ from }) => from === file)) visit(to, [...way, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  return found;
}
