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

type Reader = (entry: Entry) => void;

/** Events in memory: the last 256, and the readers that wait for more. */
export class EventBus implements Events {
  #entries: Entry[] = [];
  readonly #readers = new Set<Reader>();

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
    for (const reader of this.#readers) reader({ ns, message });
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
    const past = replays ? this.#entries.filter((entry) => entry.ns >= (sinceNs ?? 0n) && wanted(entry)) : [];
    return this.#stream(past, wanted, untilNs, signal);
  }

  #stream(past: Entry[], wanted: (entry: Entry) => boolean, untilNs?: bigint, signal?: AbortSignal) {
    const queue = past.map(({ message }) => message);
    let wake = () => {};
    const reader: Reader = (entry) => {
      if (!wanted(entry)) return;
      if (queue.push(entry.message) >= mostWaiting) this.#readers.delete(reader);
      wake();
    };
    this.#readers.add(reader);
    const stop = () => {
      this.#readers.delete(reader);
      wake();
    };
    const leftMs = untilNs === undefined ? undefined : Number((untilNs - nowNs()) / 1_000_000n);
    const timer = leftMs === undefined ? undefined : setTimeout(stop, Math.min(Math.max(leftMs, 0), 2 ** 31 - 1));
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted || (leftMs !== undefined && leftMs <= 0)) stop();
    const readers = this.#readers;
    return (async function* () {
      try {
        for (;;) {
          yield* queue.splice(0);
          if (queue.length > 0) continue;
          if (!readers.has(reader)) return;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", stop);
        stop();
      }
    })();
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
