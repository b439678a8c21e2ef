import { messageOf } from "../../spec/index.js";

/** The header that numbers answers. */
export const requestHeader = "Layerkit-Request";

const kept = 100;

/**
 * Why answers that were bytes ended early: HTTP has no place for it once the first byte is sent. The last 100 are
 * kept, by the number of their request, for clients that ask.
 */
export class Failures {
  #last = 0;
  #messages = new Map<string, string>();

  /** A number for a request. */
  number(): string {
    this.#last += 1;
    return String(this.#last);
  }

  note(request: string, error: unknown): void {
    this.#messages.set(request, messageOf(error));
    const [oldest] = this.#messages.keys();
    if (this.#messages.size > kept && oldest !== undefined) this.#messages.delete(oldest);
  }

  of(request: string): string | undefined {
    return this.#messages.get(request);
  }
}
