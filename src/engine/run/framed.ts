/** The beginning of what comes in Docker's frames, streams told apart no more. */
export class Framed {
  readonly #most: number;
  readonly #kept: Buffer[] = [];
  #size = 0;
  #rest = Buffer.alloc(0);
  #truncated = false;

  /** @param most bytes to keep */
  constructor(most: number) {
    this.#most = most;
  }

  add(chunk: Uint8Array): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 8) {
      const end = 8 + this.#rest.readUInt32BE(4);
      if (this.#rest.length < end) return;
      this.#keep(this.#rest.subarray(8, end));
      this.#rest = this.#rest.subarray(end);
    }
  }

  #keep(payload: Buffer): void {
    const room = this.#most - this.#size;
    if (payload.length > room) this.#truncated = true;
    if (room > 0) this.#kept.push(payload.subarray(0, room));
    this.#size += Math.min(payload.length, Math.max(room, 0));
  }

  /** What was kept, with dots when there was more. */
  text(): string {
    return `${Buffer.concat(this.#kept).toString("utf8")}${this.#truncated ? "..." : ""}`;
  }
}
