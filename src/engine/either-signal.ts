import { setMaxListeners } from "node:events";

/** Fires when one of them does. Any number may listen: all layers of an image do. */
export function eitherSignal(...signals: readonly AbortSignal[]): AbortSignal {
  const signal = AbortSignal.any([...signals]);
  setMaxListeners(0, signal);
  return signal;
}
