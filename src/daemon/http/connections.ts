import type { Socket } from "node:net";

/** The open connections of a server, and how many requests each is busy with. */
export class Connections {
  #busy = new Map<Socket, number>();
  #waiting: (() => void)[] = [];
  #closeWhenIdle = false;

  /** How many there are. */
  get count(): number {
    return this.#busy.size;
  }

  add(socket: Socket): void {
    this.#busy.set(socket, 0);
    socket.once("close", () => this.#remove(socket));
  }

  /** A request on `socket` begins; call what is returned when it is done with. */
  begin(socket: Socket): () => void {
    this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + 1);
    return () => {
      const left = (this.#busy.get(socket) ?? 1) - 1;
      if (this.#busy.has(socket)) this.#busy.set(socket, left);
      if (left === 0 && this.#closeWhenIdle) socket.end();
    };
  }

  /** From now on a connection is closed as soon as it has nothing to do. */
  closeIdle(): void {
    this.#closeWhenIdle = true;
    for (const [socket, busy] of this.#busy) if (busy === 0) socket.destroy();
  }

  destroyAll(): void {
    for (const socket of this.#busy.keys()) socket.destroy();
  }

  /** Resolves when no connection is left. */
  async none(): Promise<void> {
    if (this.#busy.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #remove(socket: Socket): void {
    this.#busy.delete(socket);
    if (this.#busy.size === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
