import type { Step } from "./finding.js";
import type { Known } from "./known/known.js";
import { directoryOf } from "./known/short-names.js";

/** Sets a layer's directory aside, and before it the short names that lead to it. */
export function asideWithName({ state }: Pick<Known, "state">, id: string): Step[] {
  const links = [...state.links].filter(([, { target }]) => directoryOf(target) === id).map(([name]) => `l/${name}`);
  return [...links, id].map((name) => ({ kind: "set-aside", path: `${state.home}/${name}` }));
}
