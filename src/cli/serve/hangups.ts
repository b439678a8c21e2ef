/**
 * SIGHUP, by which one asks a daemon to read its configuration again. It is caught from the start: before anybody
 * listens to it, it would end the process.
 */
export class Hangups implements Disposable {
  #missed = 0;
  #tell: () => void = () => {
    this.#missed++;
  };
  #listener = () => this.#tell();

  constructor() {
    process.on("SIGHUP", this.#listener);
  }

  /** Calls `heed` for those that came, once, and then for each that comes; one call at a time. */
  begin(heed: () => Promise<void>): void {
    let turn = Promise.resolve();
    this.#tell = () => {
      turn = turn.then(heed);
    };
    if (this.#missed > 0) this.#tell();
  }

  [Symbol.dispose](): void {
    process.off("SIGHUP", this.#listener);
  }
}
