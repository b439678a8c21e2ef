import { InvalidParameter, nowNs, RawNumber } from "../spec/index.js";
import type { EventMessage, EventType, Filters } from "./api-system.js";
import type { EventReadOptions, Events } from "./events.js";
import { checkFilters, matchesExactly, matchesLabels } from "./filters.js";

const kept = 256;
/** A reader that is so far behind is let go: memory stays bounded. */
const mostWaiting = 65_536;
const second = 1_000_000_000n;

interface Entry {
  readonly ns: bigint;
  readonly message: EventMessage;
}

/** Events in memory: the last 256, and the readers that wait for more. */
export class EventBus implements Events {
  #entries: Entry[] = [];
  readonly #readers = new Set<EventReader>();

  get readers(): number {
    return this.#readers.size;
  }

  emit(type: EventType, action: string, id: string, attributes: Readonly<Record<string, string>>): void {
    const ns = nowNs();
    const flat = type === "container" || type === "image" ? { status: action, id } : {};
    const from = type === "container" && attributes.image ? { from: attributes.image } : {};
    const sorted = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
    const message: EventMessage = {
      ...flat,
      ...from,
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: Object.fromEntries(sorted) },
      scope: "local",
      time: Number(ns / second),
      timeNano: new RawNumber(ns),
    };
    this.#entries = [...this.#entries.slice(1 - kept), { ns, message }];
    for (const reader of this.#readers) reader.offer({ ns, message });
  }

  read({ sinceNs, untilNs, filters = {}, signal }: EventReadOptions = {}): AsyncIterable<EventMessage> {
    if (sinceNs !== undefined && untilNs !== undefined && untilNs < sinceNs) {
      throw new InvalidParameter(
        `\`since\` time (${sinceNs / second}) cannot be after \`until\` time (${untilNs / second})`,
      );
    }
    checkFilters(filters, Object.keys(passes));
    const wanted = ({ ns, message }: Entry) =>
      (untilNs === undefined || ns <= untilNs) && Object.keys(filters).every((key) => passes[key]?.(filters, message));
    const replays = sinceNs !== undefined || untilNs !== undefined;
    const past = replays ? this.#entries.filter(({ ns }) => ns >= (sinceNs ?? 0n)) : [];
    const reader = new EventReader(wanted, () => this.#readers.delete(reader));
    this.#readers.add(reader);
    for (const entry of past) reader.offer(entry);
    reader.stopAt(untilNs, signal);
    return reader.events();
  }
}

/** Events on their way to one reader. */
class EventReader {
  readonly #wanted: (entry: Entry) => boolean;
  readonly #onStop: () => void;
  readonly #queue: EventMessage[] = [];
  #stopped = false;
  #wake: () => void = () => {};
  #forget: () => void = () => {};

  constructor(wanted: (entry: Entry) => boolean, onStop: () => void) {
    this.#wanted = wanted;
    this.#onStop = onStop;
  }

  offer(entry: Entry): void {
    if (this.#stopped || !this.#wanted(entry)) return;
    if (this.#queue.push(entry.message) >= mostWaiting) this.stop();
    this.#wake();
  }

  stopAt(untilNs: bigint | undefined, signal: AbortSignal | undefined): void {
    const stop = () => this.stop();
    const leftMs = untilNs === undefined ? undefined : Number((untilNs - nowNs()) / 1_000_000n);
    if (signal?.aborted || (leftMs !== undefined && leftMs <= 0)) {
      this.stop();
      return;
    }
    const timer = leftMs === undefined ? undefined : setTimeout(stop, Math.min(leftMs, 2 ** 31 - 1));
    signal?.addEventListener("abort", stop, { once: true });
    this.#forget = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    };
  }

  /** Nothing more comes; what has come can still be read. */
  stop(): void {
    this.#stopped = true;
    this.#forget();
    this.#onStop();
    this.#wake();
  }

  async *events(): AsyncGenerator<EventMessage, void, undefined> {
    try {
      for (;;) {
        yield* this.#queue.splice(0);
        if (this.#queue.length > 0) continue;
        if (this.#stopped) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      this.stop();
    }
  }
}

/** By filter, whether an event passes it. */
const passes: Readonly<Record<string, (filters: Filters, message: EventMessage) => boolean>> = {
  type: (filters, { Type }) => matchesExactly(filters, "type", Type),
  scope: (filters, { scope }) => matchesExactly(filters, "scope", scope),
  event: (filters, { Action }) => matchesExactly(filters, "event", Action, Action.split(":")[0] ?? ""),
  label: (filters, { Actor }) => matchesLabels(filters, Actor.Attributes),
  container: ofType("container"),
  volume: ofType("volume"),
  network: ofType("network"),
  daemon: ofType("daemon"),
  image: (filters, { Type, Actor }) => {
    const { image, name } = Actor.Attributes;
    const names = Type === "image" ? [Actor.ID, name] : Type === "container" ? [image] : [];
    const texts = names.filter((text) => text !== undefined).flatMap((text) => [text, withoutTag(text)]);
    return matchesExactly(filters, "image", ...texts);
  },
};

/** Events of one type by the thing's id, the beginning of its id, or its name. */
function ofType(type: EventType) {
  return (filters: Filters, { Type, Actor }: EventMessage) =>
    Type === type &&
    (filters[type] ?? []).some((value) => value === Actor.Attributes.name || (value && Actor.ID.startsWith(value)));
}

function withoutTag(reference: string): string {
  return reference.replace(/(@sha256)?:[^/:]*$/, "");
}
