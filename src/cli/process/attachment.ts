import { once } from "node:events";
import type { Socket } from "node:net";
import { type Keys, untilKeys } from "./detach-keys.js";
import { showOutput } from "./show-output.js";
import { rawTerminal } from "./terminal.js";

export interface AttachmentOptions {
  readonly tty: boolean;
  /** Whether standard input goes to the process. */
  readonly stdin: boolean;
  /** What is typed at a terminal to leave. */
  readonly keys: Keys;
}

/**
 * Connects this command's standard streams with those of a process until it has ended or the user leaves it.
 *
 * @param signal leaves it, and makes this reject
 * @returns "detached" when the user typed the keys for that
 */
export async function attach(
  connection: Socket,
  { tty, stdin, keys }: AttachmentOptions,
  signal: AbortSignal,
): Promise<"ended" | "detached"> {
  using _ = tty && stdin ? await rawTerminal() : undefined;
  let detached = false;
  const leave = () => {
    detached = true;
    connection.destroy();
  };
  const stop = () => connection.destroy();
  signal.addEventListener("abort", stop);
  if (stdin) send(connection, tty ? keys : undefined, leave);
  else connection.end();
  try {
    await showOutput(connection, tty);
  } catch (error) {
    signal.throwIfAborted();
    if (!detached) throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    // A read of it that waits would keep this process up.
    if (stdin) process.stdin.destroy();
  }
  return detached ? "detached" : "ended";
}

/** Not waited for: a process may end without having read all it is given. */
async function send(connection: Socket, keys: Keys | undefined, leave: () => void): Promise<void> {
  const input = keys ? untilKeys(process.stdin, keys) : process.stdin[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { value, done } = await input.next();
      if (done && value === true) return leave();
      if (done || connection.writableEnded || connection.destroyed) break;
      if (!connection.write(value)) await once(connection, "drain");
    }
    connection.end();
  } catch {
    // The process has ended, or our standard input is broken: what it writes still comes.
    connection.end();
  }
}
