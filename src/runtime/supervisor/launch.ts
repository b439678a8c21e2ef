import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { isErrno, Unavailable } from "../../spec/index.js";
import { runDirectory } from "./run-directory.js";

export interface LaunchOptions {
  /** The run directory; made when absent. Its path has at most 90 bytes. @see unix(7) */
  readonly directory: string;
  /** Name or path of `runc`. */
  readonly runtime: string;
  /** How long a supervisor without anything to do stays. */
  readonly idleMs: number;
}

const program = fileURLToPath(new URL("./layerkit-supervisor.js", import.meta.url));
/** It lives long and does little: no threads to compile, and a heap that is collected early. */
const flags = ["--v8-pool-size=1", "--max-semi-space-size=1"];

/**
 * Of the environment what programs are found by. `NOTIFY_SOCKET` and `LISTEN_FDS`, which the service manager has given
 * the daemon, `runc` would hand on to containers.
 */
function environment(): NodeJS.ProcessEnv {
  const { PATH, HOME, XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS } = process.env;
  return { PATH, HOME, XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS, MALLOC_ARENA_MAX: "1" };
}

/** Starts a supervisor, which outlives this process. Resolves when one can be spoken to, be it another's. @throws Unavailable */
export async function launch({ directory, runtime, idleMs }: LaunchOptions): Promise<void> {
  const { log } = runDirectory(directory);
  const out = await opened(log);
  const child = spawn(process.execPath, [...flags, program, directory, runtime, String(idleMs)], {
    detached: true,
    stdio: ["ignore", out, out, "pipe"],
    cwd: "/",
    env: environment(),
  });
  closeSync(out);
  child.unref();
  const failed = new Promise<never>((_, reject) => child.on("error", reject));
  const word = await Promise.race([text(child.stdio[3] as Readable), failed]);
  if (word !== "") return;
  const said = (await readFile(log, "utf8").catch(() => "")).trim().split("\n").at(-1);
  throw new Unavailable(`the supervisor of containers does not start: ${said || `see ${log}`}`);
}

/** In a directory that is made, again when a supervisor that ends has just removed it. */
async function opened(log: string): Promise<number> {
  for (;;) {
    await mkdir(dirname(log), { recursive: true, mode: 0o700 });
    try {
      return openSync(log, "a", 0o600);
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
    }
  }
}

/** @returns undefined: nobody serves the directory */
export async function connectTo(directory: string): Promise<Socket | undefined> {
  const socket = connect({ path: runDirectory(directory).socket, allowHalfOpen: true });
  try {
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return socket;
  } catch (error) {
    socket.destroy();
    if (isErrno(error, "ENOENT", "ECONNREFUSED")) return undefined;
    throw error;
  }
}
