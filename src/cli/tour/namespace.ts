import { execFile, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** In the environment of a tour that has been started again inside a namespace. */
const mark = "LAYERKIT_TOUR_INSIDE";

const namespaces = ["--user", "--map-root-user", "--mount", "--propagation", "private"];
/** With a range of ids for this user in /etc/subuid, files of many owners can be unpacked; without, of one. */
const ways = [[...namespaces, "--map-auto"], namespaces];

export function insideNamespace(): boolean {
  return process.env[mark] !== undefined;
}

/** Powers of root, by their bits in `/proc/self/status`. @see capabilities(7) */
const capabilities = { chroot: 18n, mount: 21n } as const;

/** Whether this process may do so as it is. */
export async function may(what: keyof typeof capabilities): Promise<boolean> {
  const status = await readFile("/proc/self/status", "utf8");
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> capabilities[what]) & 1n) === 1n;
}

/** Flags for unshare(1) that give an ordinary user a user namespace and a mount namespace; undefined: not here. */
export async function namespaceFlags(): Promise<readonly string[] | undefined> {
  for (const flags of ways) {
    const works = promisify(execFile)("unshare", [...flags, "true"]).then(
      () => true,
      () => false,
    );
    if (await works) return flags;
  }
  return undefined;
}

/**
 * Starts this very command again inside the namespaces, and ends it when `signal` fires.
 *
 * @returns its exit status
 */
export async function runInside(flags: readonly string[], signal: AbortSignal): Promise<number> {
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const env = { ...process.env, [mark]: "1" };
  const child = spawn("unshare", [...flags, "--", ...command], { stdio: "inherit", env });
  const stop = () => void child.kill("SIGTERM");
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (status) => resolve(status ?? 1));
    });
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
