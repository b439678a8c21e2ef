import { resolveImage } from "../../image/index.js";
import { type ImageID, LayerkitError, messageOf } from "../../spec/index.js";
import type { EventMessage } from "../api-system.js";
import { type CollectParts, collect } from "./collect.js";
import type { CheckedGC } from "./gc-settings.js";

export interface WatchParts extends CollectParts {
  readonly settings: { readonly current: { readonly gc?: CheckedGC | undefined } };
  readonly containers: { byID(id: string): { readonly stored: { readonly Image: string } } | undefined };
}

/** So long after something has come it is looked whether it is too much: more may come. */
const afterMs = 1000;
/** How often it is looked whether a collector is wanted by now. */
const idleMs = 60_000;
const uses = ["create", "start", "restart", "commit"];
const arrivals = ["pull", "load", "import", "tag"];

/**
 * Notes when images are used, always, and collects after something has come and from time to time, as the settings of
 * the moment say. Resolves when `signal` fires.
 */
export async function watchUses(parts: WatchParts, signal: AbortSignal): Promise<void> {
  const collector = new Passes(parts);
  signal.addEventListener("abort", () => collector.end(), { once: true });
  collector.after(parts.settings.current.gc ? afterMs : idleMs);
  const { imageStore, lastUse, report } = parts;
  let isTold = false;
  const noted = (note: () => void) => {
    try {
      note();
      isTold = false;
    } catch (error) {
      if (!isTold) report(`that an image was used cannot be noted: ${messageOf(error)}`);
      isTold = true;
    }
  };
  for await (const event of parts.events.read({ signal })) {
    if (event.Type === "daemon") collector.after(afterMs);
    const id = imageOf(parts, event);
    if (id === undefined) continue;
    // With no limit, too: one that is set later is fair from its first minute.
    noted(() => lastUse.note(id));
    const isMore = event.Type === "image" || event.Action === "commit";
    if (isMore && parts.settings.current.gc) collector.after(afterMs);
  }
  await collector.ended;
  noted(() => lastUse.close((id) => imageStore.find(id) !== undefined));
}

/** The image that an event uses, if it is there: containers may go on without theirs. */
function imageOf({ containers, imageStore, references }: WatchParts, event: EventMessage): ImageID | undefined {
  const { Type, Action, Actor } = event;
  if (Type === "container" && uses.includes(Action)) {
    const id = containers.byID(Actor.ID)?.stored.Image as ImageID | undefined;
    return id && imageStore.find(id)?.id;
  }
  if (Type !== "image" || !arrivals.includes(Action)) return undefined;
  try {
    return resolveImage(imageStore, references, Actor.ID).image.id;
  } catch (error) {
    if (error instanceof LayerkitError) return undefined;
    throw error;
  }
}

/** One pass after the other. */
class Passes {
  readonly #parts: WatchParts;
  ended: Promise<void> = Promise.resolve();
  #next: { readonly timer: NodeJS.Timeout; readonly due: number } | undefined;
  #isOver = false;
  #isTold = false;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** The next one begins after so long at the latest. */
  after(ms: number): void {
    const due = Date.now() + ms;
    if (this.#isOver || (this.#next && this.#next.due <= due)) return;
    clearTimeout(this.#next?.timer);
    const timer = setTimeout(() => {
      this.#next = undefined;
      this.ended = this.ended.then(() => this.#pass());
    }, ms).unref();
    this.#next = { timer, due };
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#next?.timer);
  }

  async #pass(): Promise<void> {
    const { settings, report } = this.#parts;
    const limits = settings.current.gc;
    try {
      const still = limits && !this.#isOver ? await collect(this.#parts, limits) : undefined;
      // Told once, not every ten minutes.
      if (still !== undefined && !this.#isTold) report(`${still}, and nothing more can be collected`);
      this.#isTold = still !== undefined;
    } catch (error) {
      report(`images cannot be collected: ${messageOf(error)}`);
    }
    this.after(limits?.intervalMs ?? idleMs);
  }
}
