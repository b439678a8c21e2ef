import { Slots } from "../slots.js";
import { Turns } from "../turns.js";

/** What all pushes out of one store share. */
export interface Pushes {
  readonly slots: Slots;
  readonly turns: Turns;
}

/** @param atOnce how many layers are brought at once; 0 is any number */
export function openPushes(atOnce: number): Pushes {
  return { slots: new Slots(atOnce), turns: new Turns() };
}
