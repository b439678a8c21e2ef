import { familiarString, type Reference, shortID } from "../../spec/index.js";
import type { ProgressMessage } from "../api-image.js";
import type { LayerState } from "./transfer.js";

export type Tell = (message: ProgressMessage) => void;

/** Of one layer only the newest figure matters. */
export function replaces(old: ProgressMessage, next: ProgressMessage): boolean {
  return old.id !== undefined && old.id === next.id && old.progressDetail?.current !== undefined;
}

export function pullingFrom(ref: Reference): ProgressMessage {
  return { status: `Pulling from ${ref.path}`, id: ref.digest ? familiarString(ref) : (ref.tag ?? "") };
}

export function ended(name: string, newer: boolean): ProgressMessage {
  return { status: `Status: ${newer ? "Downloaded newer image" : "Image is up to date"} for ${name}` };
}

/** Tells how the layers of one image get on, each by the beginning of its blob's digest; no step and no figure twice. */
export class LayerMessages {
  readonly #tell: Tell;
  readonly #told = new Set<string>();
  /** The last figure of each blob. */
  readonly #figures = new Map<string, string>();

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** @param digest of the blob, which several layers may have */
  tell(digest: string, { status, current, total }: LayerState): void {
    const id = shortID(digest);
    const step = `${id} ${status}`;
    if (current !== undefined) {
      const figure = `${status} ${current}`;
      if (this.#figures.get(id) === figure) return;
      this.#figures.set(id, figure);
      this.#tell({ status, progressDetail: { current, ...(total && { total }) }, id });
    } else if (!this.#told.has(step)) this.#tell({ status, progressDetail: {}, id });
    this.#told.add(step);
  }
}
