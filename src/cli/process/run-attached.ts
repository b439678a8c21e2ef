import type { WaitResult } from "../../engine/index.js";
import { type Client, pathPart, type Reply } from "../client.js";
import { FailedWith } from "../failure.js";
import type { Interrupt } from "../interrupt.js";
import { attach } from "./attachment.js";
import type { Keys } from "./detach-keys.js";
import { tellSize } from "./terminal.js";

export interface Attached {
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly keys: Keys;
  /** Whether signals go to the process. */
  readonly proxy: boolean;
  /** What is waited for, where there is to be an exit status. */
  readonly condition?: "next-exit" | "removed";
}

/** Connections that `runAttached` needs: for the streams, the wait, and what is told meanwhile. */
export const attachedConnections = 3;

/**
 * Attaches to a container, has `begin` start it, and stays until it has ended or the user leaves it.
 *
 * @returns the exit status; "detached" when the user left it
 */
export async function runAttached(
  { client, interrupt }: { readonly client: Client; readonly interrupt: Interrupt },
  name: string,
  { tty, stdin, stdout, stderr, keys, proxy, condition }: Attached,
  begin: () => Promise<void> = async () => {},
): Promise<number | "detached"> {
  const path = `/containers/${pathPart(name)}`;
  const query = { stream: true, stdin, stdout, stderr, detachKeys: keys.text };
  const connection = await client.hijack(`${path}/attach`, { query });
  const waiting = await client.send("POST", `${path}/wait`, { query: { condition } });
  try {
    await begin();
  } catch (error) {
    connection.destroy();
    throw error;
  }
  const tell = (what: string, query: object) => client.tell("POST", `${path}/${what}`, { query: { ...query } });
  using _signals = proxy ? interrupt.divert((signal) => void tell("kill", { signal }).catch(() => {})) : undefined;
  using _size = tty ? tellSize((size) => tell("resize", size)) : undefined;
  const how = await attach(connection, { tty, stdin, keys }, interrupt.stop);
  return how === "ended" ? await exitStatus(waiting) : how;
}

/** For commands that are there to stay: to leave is no success. */
export function stayed<T>(outcome: T | "detached"): T {
  if (outcome === "detached") throw new Error("read escape sequence");
  return outcome as T;
}

async function exitStatus(waiting: Reply): Promise<number> {
  const { StatusCode, Error: error } = await waiting.json<WaitResult>();
  if (error) throw new FailedWith(125, new Error(error.Message));
  return StatusCode;
}
