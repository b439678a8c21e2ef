import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { BadRegistry } from "./oracle/bad-registry.js";
import { layerkitMain } from "./oracle/layerkitd.js";
import { find, lacking } from "./oracle/programs.js";
import { output, run } from "./oracle/run.js";
import { sampleArchive } from "./oracle/sample-image.js";
import { scratch } from "./oracle/scratch.js";

const project = fileURLToPath(new URL("../../", import.meta.url));
const readme = readFileSync(join(project, "README.md"), "utf8");

const blocks = (language: string) =>
  [...readme.matchAll(/```(\w+)\n([\s\S]*?)```/g)].filter((block) => block[1] === language).map((block) => block[2]!);
const npm = (block: string) => block.startsWith("npm ");

test("the npm commands of the README are those that CI runs, or scripts of the package", () => {
  const { scripts } = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
  const named = [...readme.matchAll(/npm (?:run )?(start|test|bench|torture)\b/g)].map((match) => match[1]!);
  expect(new Set(named)).toEqual(new Set(["start", "test", "bench", "torture"]));
  for (const script of named) expect(scripts).toHaveProperty(script);
  expect(readFileSync(join(project, ".ci/run"), "utf8")).toContain("npm ci && npm test");
});

test("every file the README names is there", () => {
  const named = [...readme.matchAll(/`((?:src|test|examples|docs)\/[\w./-]*)`|\]\((docs\/[\w-]+\.md)\)/g)];
  expect(named.length).toBeGreaterThan(5);
  for (const [, code, link] of named) expect(existsSync(join(project, code ?? link!)), code ?? link).toBe(true);
});

const missing = lacking("root", "mounts", "bash", "docker", "runc");

test.skipIf(missing)("the commands of the README do what it says", { timeout: 120_000 }, async () => {
  await using directory = await scratch(existsSync("/dev/shm") ? "/dev/shm" : undefined);
  await using registry = await BadRegistry.start();
  const { env, root } = await place(directory.path);
  const here = (block: string) => block.replaceAll("registry.example:5000", registry.host);
  const [library, daemon] = blocks("sh")
    .filter((block) => !npm(block))
    .map(here);

  const said = await output("bash", ["-euc", library!], { cwd: directory.path, env });
  expect(said).toContain("Loaded image: sample:latest");
  expect(said).toContain("A /var/notes.txt");
  expect(said.split("\n")).toContain("notes");
  expect(existsSync(join(directory.path, "notes.tar"))).toBe(true);
  expect(said).toContain(`Status: Image is up to date for ${registry.host}/notes:1`);

  const served = await output("bash", ["-euc", asServed(daemon!, directory.path)], { cwd: directory.path, env });
  expect(served).toMatch(/^sample +notes /m);
  expect(served).toContain("with notes");
  expect(served).toContain("A /var/notes.txt");
  expect(served.split("\n")).toContain("notes");

  await runSnippet(blocks("ts")[0]!, root);
  const listed = await output("bash", ["-euc", "layerkit ps -a"], { env, cwd: directory.path });
  expect(listed.match(/sample:latest/g)).toHaveLength(2);
});

/** A directory with what the commands work on, and a `layerkit` on PATH with a data root of its own. */
async function place(directory: string) {
  const [bin, root] = [join(directory, "bin"), join(directory, "root")];
  await mkdir(bin);
  await writeFile(
    join(bin, "layerkit"),
    `#!/bin/sh\nexec '${process.execPath}' '${layerkitMain}' --root '${root}' "$@"\n`,
  );
  await writeFile(join(bin, "docker"), `#!/bin/sh\nexec '${find("docker")}' "$@"\n`);
  for (const name of ["layerkit", "docker"]) await chmod(join(bin, name), 0o755);
  await writeFile(join(directory, "image.tar"), await sampleArchive("sample:latest"));
  await writeFile(join(directory, "notes.txt"), "notes\n");
  return { root, env: { PATH: `${bin}:${process.env.PATH}` } };
}

/** The daemon's block as a script: with a socket of the test's own, waiting for it as a reader would. */
function asServed(block: string, directory: string): string {
  const socket = join(directory, "s.sock");
  const listening = `server=$!; trap 'kill $server; wait $server || :' EXIT; timeout 20 sh -c 'until [ -S ${socket} ]; do :; done'`;
  return block.replaceAll("/tmp/layerkit.sock", socket).replace(/ &\n/, ` >/dev/null 2>&1 &\n${listening}\n`);
}

/** Compiles and runs the README's program, inside the package, where its name resolves. */
async function runSnippet(source: string, root: string): Promise<void> {
  const directory = join(project, "dist", `readme-${process.pid}`);
  await mkdir(directory, { recursive: true });
  try {
    await writeFile(join(directory, "snippet.mts"), source.replace("/var/lib/layerkit", root));
    const options = [
      "--ignoreConfig",
      "--target",
      "es2022",
      "--module",
      "nodenext",
      "--lib",
      "es2023,esnext.disposable",
    ];
    const tsc = join(project, "node_modules", ".bin", "tsc");
    await output(tsc, [...options, "--types", "node", "--skipLibCheck", "--strict", join(directory, "snippet.mts")], {
      cwd: project,
    });
    expect((await run(process.execPath, [join(directory, "snippet.mjs")])).stderr).toBe("");
  } finally {
    await rm(directory, { recursive: true });
  }
}
