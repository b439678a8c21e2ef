import { randomBytes } from "node:crypto";

declare const cacheID: unique symbol;

/**
 * The driver's name for a layer's directory: 64 hex digits, for an init layer with `-init` behind them; of a layer that
 * dockerd's BuildKit made 25 digits and small letters.
 */
export type CacheID = string & { readonly [cacheID]?: never };

export function isCacheID(text: string): text is CacheID {
  return /^[0-9a-f]{64}(-init)?$|^[0-9a-z]{25}$/.test(text);
}

/**
 * 64 random hex digits, Docker's form of container, layer and exec ids. Never all-decimal in the first 12,
 * since those serve as host name.
 */
export function randomID(): string {
  for (;;) {
    const id = randomBytes(32).toString("hex");
    if (!/^\d{12}/.test(id)) return id;
  }
}

/** The first 12 hex digits of an id or digest, as people see it. */
export function shortID(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, 12);
}
