import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Where the set-up puts what it fetches without installing it; kept between runs. */
export const cacheDirectory = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "layerkit-test");

/** The unpacked `docker.io` package, used where the machine has no dockerd or docker of its own. */
export const dockerPackage = join(cacheDirectory, "docker.io");

/** Absolute path of a program: on PATH, among the administrator's, or in the unpacked docker package. */
export function find(program: string): string | undefined {
  if (isAbsolute(program)) return isExecutable(program) ? program : undefined;
  const own = [join(dockerPackage, "usr/sbin"), join(dockerPackage, "usr/bin")];
  const directories = [...(process.env.PATH ?? "").split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin", ...own];
  return directories.map((directory) => join(directory, program)).find(isExecutable);
}

/** The same where it has to be there. */
export function program(name: string): string {
  const path = find(name);
  if (path === undefined) throw new Error(`${name} is not on this machine: run "npm test" as root to install it`);
  return path;
}

/**
 * Why tests that need all of `needs` cannot run here, or undefined; the reason is printed, once a process. Needs are
 * programs, `docker 28` one of that major version or later; and `root`, `mounts` (the right to mount), `loop` (loop
 * devices) and `namespaces` (of an ordinary user).
 */
export function lacking(...needs: readonly string[]): string | undefined {
  const missing = needs.map(missingNeed).filter((why) => why !== undefined);
  if (missing.length === 0) return undefined;
  const why = missing.join(", ");
  if (!told.has(why)) console.log(`skipped here: ${why}`);
  told.add(why);
  return why;
}

const told = new Set<string>();

function missingNeed(need: string): string | undefined {
  if (need === "root") return process.getuid?.() === 0 ? undefined : "not root";
  if (need === "mounts") return mayMount() ? undefined : "no right to mount (CAP_SYS_ADMIN)";
  if (need === "namespaces") return mayMakeNamespaces() ? undefined : "no user namespaces";
  if (need === "loop") return isThere("/dev/loop-control") ? undefined : "no loop devices";
  const [name = "", version] = need.split(" ");
  if (!find(name)) return `no ${name}`;
  return version === undefined || majorOf(name) >= Number(version) ? undefined : `${name} older than ${version}`;
}

function majorOf(name: string): number {
  const said = spawnSync(program(name), ["--version"], { encoding: "utf8" }).stdout;
  return Number(/\b(\d+)\.\d/.exec(said)?.[1]);
}

function mayMakeNamespaces(): boolean {
  return spawnSync("unshare", ["--user", "--map-root-user", "--mount", "true"]).status === 0;
}

const capSysAdmin = 21n;

function mayMount(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> capSysAdmin) & 1n) === 1n;
}

function isExecutable(path: string): boolean {
  return isThere(path, constants.X_OK);
}

function isThere(path: string, mode = constants.F_OK): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
