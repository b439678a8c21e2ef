import { closeSync, rmSync } from "node:fs";
import {
  duplicate,
  listenForDescriptor,
  pipe,
  receiveDescriptor,
  type StandardStream,
  setNonBlocking,
} from "../../sys/index.js";
import type { OutputStream } from "../log/line-encoder.js";
import { type Input, PipeInput, TerminalInput } from "./input.js";
import { Output } from "./output.js";

export interface StdioEvents {
  /** @returns false: nothing more until the output is resumed */
  output(stream: OutputStream, bytes: Buffer): boolean;
  inputDrained(): void;
}

/** The standard streams of a process that runs: our ends. */
export interface Stdio {
  readonly outputs: readonly Output[];
  /** undefined: it reads nothing. */
  readonly input: Input | undefined;
  readonly terminal: TerminalInput | undefined;
}

/** The standard streams of a process that is about to be started. */
export interface PreparedStdio extends Disposable {
  /** What the runtime is started with. */
  readonly child: readonly StandardStream[];
  readonly args: readonly string[];
  /** The runtime has ended well, and what it has started has its ends. Before that nothing is read. */
  begin(events: StdioEvents): Stdio;
}

/** @param consoleSocket a path of at most 107 bytes @see unix(7) */
export function prepareStdio(tty: boolean, openStdin: boolean, consoleSocket: string): PreparedStdio {
  return tty ? prepareTerminal(openStdin, consoleSocket) : preparePipes(openStdin);
}

function preparePipes(openStdin: boolean): PreparedStdio {
  const open = new Set<number>();
  const newPipe = () => {
    const ends = pipe();
    open.add(ends.read).add(ends.write);
    return ends;
  };
  const given = (fd: number) => {
    open.delete(fd);
    return fd;
  };
  const dispose = () => {
    for (const fd of open) closeSync(fd);
    open.clear();
  };
  try {
    const [stdout, stderr, stdin] = [newPipe(), newPipe(), openStdin ? newPipe() : undefined];
    return {
      child: [stdin?.read ?? "ignore", stdout.write, stderr.write],
      args: [],
      begin({ output, inputDrained }) {
        const outputs = [
          new Output(given(stdout.read), false, (bytes) => output("stdout", bytes)),
          new Output(given(stderr.read), false, (bytes) => output("stderr", bytes)),
        ];
        const input = stdin && new PipeInput(given(stdin.write), inputDrained);
        dispose();
        return { outputs, input, terminal: undefined };
      },
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

function prepareTerminal(openStdin: boolean, consoleSocket: string): PreparedStdio {
  rmSync(consoleSocket, { force: true });
  const listening = listenForDescriptor(consoleSocket);
  return {
    child: [],
    args: ["--console-socket", consoleSocket],
    begin({ output, inputDrained }) {
      const master = receiveDescriptor(listening);
      if (master === undefined) throw new Error("the runtime has sent no terminal");
      setNonBlocking(master);
      // The reading end closes its descriptor by itself when nobody has the terminal open any more.
      const terminal = new TerminalInput(duplicate(master), inputDrained);
      const outputs = [new Output(master, true, (bytes) => output("stdout", bytes))];
      return { outputs, input: openStdin ? terminal : undefined, terminal };
    },
    [Symbol.dispose]() {
      closeSync(listening);
      rmSync(consoleSocket, { force: true });
    },
  };
}
