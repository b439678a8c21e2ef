import type { EventMessage, EventType, Filters } from "./api-system.js";
import type { AbortOption } from "./images.js";

/** What happens in an engine, as `docker events` tells it. The last 256 are kept. */
export interface Events {
  /** Tells all readers. `from` is the image name of a container's event. */
  emit(type: EventType, action: string, id: string, attributes: Readonly<Record<string, string>>): void;
  /**
   * Kept events from `sinceNs` on, then new ones as they come, until `untilNs` is reached or `signal` fires. Without
   * `sinceNs` only new ones; with `untilNs` in the past only kept ones. Listening begins with the call.
   *
   * @throws InvalidParameter: `untilNs` before `sinceNs`, unknown filter
   */
  read(options?: EventReadOptions): AsyncIterable<EventMessage>;
  /** How many are reading now. */
  readonly readers: number;
}

/** Times in nanoseconds since 1970. */
export interface EventReadOptions extends AbortOption {
  readonly sinceNs?: bigint;
  readonly untilNs?: bigint;
  readonly filters?: Filters;
}
