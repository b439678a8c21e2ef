import { readdir, readFile, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { type Dynamics, readElf } from "./elf.js";

/** A file of this machine, and the path it has to have in an image so that it is found there. */
export interface MachineFile {
  readonly path: string;
  readonly content: Buffer;
}

/**
 * Programs of this machine with everything they need to run in a root file system of their own: the dynamic linker
 * and libraries, each once, at the paths where the linker looks for them. Programs go to `/bin`.
 *
 * @param names what a shell would look up in PATH; what is not there, or is no machine code, is left out
 */
export async function collectPrograms(names: readonly string[]): Promise<MachineFile[]> {
  const found = new Map<string, MachineFile>();
  for (const name of names) {
    const program = await onPath(name);
    if (program !== undefined) await collect({ path: `/bin/${name}`, ...program }, found);
  }
  return [...found.values()];
}

interface Binary {
  readonly content: Buffer;
  readonly dynamics: Dynamics;
  /** Where it lies on this machine, every link resolved: what `$ORIGIN` stands for. */
  readonly real: string;
}

async function collect(binary: Binary & { path: string }, found: Map<string, MachineFile>): Promise<void> {
  if (found.has(binary.path)) return;
  found.set(binary.path, { path: binary.path, content: binary.content });
  const { interpreter, needed, searched, kind } = binary.dynamics;
  if (interpreter !== undefined) found.set(interpreter, { path: interpreter, content: await readFile(interpreter) });
  const origin = dirname(binary.real);
  const own = searched.map((directory) => directory.replace(/\$\{?ORIGIN\}?/g, origin));
  const had = new Set([...found.keys()].map((path) => basename(path)));
  for (const name of needed.filter((library) => !had.has(library))) {
    const library = await findLibrary(name, kind, [...own, ...(await libraryDirectories())]);
    if (library !== undefined) await collect(library, found);
  }
}

async function findLibrary(name: string, kind: string, directories: readonly string[]) {
  for (const directory of directories) {
    const path = join(directory, name);
    const binary = await readBinary(path);
    if (binary?.dynamics.kind === kind) return { path, ...binary };
  }
  return undefined;
}

async function onPath(name: string): Promise<Binary | undefined> {
  for (const directory of [...(process.env.PATH ?? "").split(":"), "/bin", "/usr/bin"]) {
    const binary = await readBinary(join(directory || ".", name));
    if (binary !== undefined) return binary;
  }
  return undefined;
}

async function readBinary(path: string): Promise<Binary | undefined> {
  try {
    const real = await realpath(path);
    const content = await readFile(real);
    const dynamics = readElf(content);
    return dynamics && { content, dynamics, real };
  } catch {
    return undefined; // not there, a directory, not readable: the next place is tried
  }
}

let known: Promise<string[]> | undefined;

/**
 * Where the linker looks. Directories below `/lib` and `/usr/lib` come first: a distribution's linker has its own
 * built in, and finds libraries there also in a root file system without its configuration. @see ld.so(8)
 */
async function libraryDirectories(): Promise<string[]> {
  known ??= configured("/etc/ld.so.conf");
  const builtIn = (directory: string) => /^(\/usr)?\/lib/.test(directory);
  const own = await known;
  const usual = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];
  return [...own.filter(builtIn), ...usual, ...own.filter((directory) => !builtIn(directory))];
}

async function configured(file: string): Promise<string[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  const lines = text.split("\n").map((line) => line.replace(/#.*/, "").trim());
  const lists = lines.filter(Boolean).map((line) => {
    const included = /^include\s+(.*)\/\*\.conf$/.exec(line)?.[1];
    return included === undefined ? [line] : includedFrom(resolve(dirname(file), included));
  });
  return (await Promise.all(lists)).flat();
}

async function includedFrom(directory: string): Promise<string[]> {
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith(".conf")).sort();
  return (await Promise.all(names.map((name) => configured(join(directory, name))))).flat();
}
