import type { Socket } from "node:net";
import { AlreadyExists, InvalidParameter, type LayerkitError, NotFound, Unavailable } from "../../spec/index.js";
import { RuntimeFailure } from "../failure.js";
import type { Exit } from "./contract.js";
import {
  fromLine,
  type Hello,
  protocolVersion,
  type Refusal,
  type Requests,
  readLines,
  type SupervisorLine,
  toLine,
  type Welcome,
  type WireError,
} from "./protocol.js";

/** Says hello on a new connection. @returns undefined: the supervisor ends, and has not taken it */
export async function greet(socket: Socket, hello: DistributedOmit<Hello, "protocol">): Promise<Welcome | undefined> {
  socket.write(toLine({ ...hello, protocol: protocolVersion }));
  const line = await new Promise<string | undefined>((resolve) => {
    const stop = readLines(socket, (first) => {
      stop();
      resolve(first);
    });
    socket.on("error", () => {});
    socket.once("close", () => resolve(undefined));
    socket.once("end", () => resolve(undefined));
  });
  if (line === undefined) return undefined;
  const answer = fromLine<Welcome | Refusal>(line);
  if ("error" in answer) throw new Unavailable(`the supervisor of containers: ${answer.error.message}`);
  return answer;
}

type DistributedOmit<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never;

export interface ControlEvents {
  exited(exit: Exit): void;
  /** @param leaving it has ended in order, with nothing to do */
  closed(leaving: boolean): void;
}

/** The supervisor ended before it had seen to a request: it may be made again. */
export class NotDone extends Unavailable {}

/** A control connection that has been greeted. */
export class Control {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, { done(value: unknown): void; failed(error: Error): void }>();
  #last = 0;
  #leaving = false;

  constructor(socket: Socket, events: ControlEvents) {
    this.#socket = socket;
    readLines(socket, (line) => this.#take(fromLine<SupervisorLine>(line), events));
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      const error = this.#leaving
        ? new NotDone("the supervisor of containers has ended")
        : new Unavailable("the supervisor of containers was killed");
      for (const { failed } of this.#waiting.values()) failed(error);
      this.#waiting.clear();
      events.closed(this.#leaving);
    });
    socket.resume();
  }

  get closed(): boolean {
    return this.#socket.destroyed || this.#leaving;
  }

  request<Op extends keyof Requests>(op: Op, request: Requests[Op]["takes"]): Promise<Requests[Op]["gives"]> {
    const number = ++this.#last;
    return new Promise((resolve, reject) => {
      if (this.closed) return reject(new NotDone("the supervisor of containers has ended"));
      this.#waiting.set(number, { done: (value) => resolve(value as Requests[Op]["gives"]), failed: reject });
      this.#socket.write(toLine({ number, op, request }));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(line: SupervisorLine, events: ControlEvents): void {
    if ("exit" in line) {
      events.exited(line.exit);
      return;
    }
    if ("leaving" in line) {
      this.#leaving = true;
      return;
    }
    const waiting = this.#waiting.get(line.number);
    this.#waiting.delete(line.number);
    if ("error" in line) waiting?.failed(errorOf(line.error));
    else waiting?.done(line.ok);
  }
}

const errors: Readonly<Record<string, new (message: string) => LayerkitError>> = {
  "not-found": NotFound,
  "already-exists": AlreadyExists,
  "invalid-parameter": InvalidParameter,
};

function errorOf({ code, message }: WireError): Error {
  return new (errors[code] ?? RuntimeFailure)(message);
}
