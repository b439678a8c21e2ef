import { FailedWith } from "../failure.js";

/** @throws FailedWith 1, as the docker command does: a terminal is asked for and fed by something that is none */
export function assertTerminal({ tty, stdin }: { readonly tty: boolean; readonly stdin: boolean }): void {
  if (tty && stdin && !process.stdin.isTTY) throw new FailedWith(1, new Error("the input device is not a TTY"));
}

/** Makes the terminal raw that standard input is, until disposed or the process ends; nothing where it is none. */
export async function rawTerminal(): Promise<Disposable> {
  if (!process.stdin.isTTY) return { [Symbol.dispose]: () => {} };
  const { rawMode } = await import("../../sys/index.js");
  const restore = rawMode(process.stdin.fd);
  process.once("exit", restore);
  const dispose = () => {
    process.off("exit", restore);
    restore();
  };
  return { [Symbol.dispose]: dispose };
}

export interface Size {
  readonly h: number;
  readonly w: number;
}

/** Of the terminal that standard output is; undefined when it is none, or does not know. */
export function terminalSize(): Size | undefined {
  const { isTTY, rows: h, columns: w } = process.stdout;
  return isTTY && h > 0 && w > 0 ? { h, w } : undefined;
}

/** Tells the size now, and each time it changes until disposed. What comes of it is of no consequence. */
export function tellSize(tell: (size: Size) => Promise<void>): Disposable {
  const changed = () => {
    const size = terminalSize();
    if (size) tell(size).catch(() => {});
  };
  changed();
  process.stdout.on("resize", changed);
  return { [Symbol.dispose]: () => void process.stdout.off("resize", changed) };
}
