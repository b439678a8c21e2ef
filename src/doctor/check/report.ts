import { type ImageID, shortID } from "../../spec/index.js";
import { listKept } from "../repair/quarantine.js";
import type { RootState } from "../root/root-state.js";
import type { Finding } from "./finding.js";

/** What a check of a root has found. */
export interface Report {
  readonly root: string;
  readonly driver: string;
  /** The worst first. */
  readonly findings: readonly Finding[];
  /** In one line each, what cannot be known. */
  readonly notes: readonly string[];
  /** How many things repairs have removed or replaced and kept: nothing is wrong with them. */
  readonly kept: number;
  /** What people call the images and containers of the findings, by ID; those without a name are not in it. */
  readonly names: Readonly<Record<string, string>>;
}

export function reportOn(state: RootState, findings: readonly Finding[], notes: readonly string[]): Report {
  const { root, driver } = state;
  const kept = listKept(root).length;
  return { root, driver, findings, notes: [...notes, ...blindSpots(state)], kept, names: namesIn(state, findings) };
}

/** What only a check of another driver would tell. */
function blindSpots({ others }: RootState): string[] {
  return others.map((other) => `what the root has of driver ${other} is not looked at: --storage-driver ${other} does`);
}

function namesIn({ images, containers }: RootState, findings: readonly Finding[]): Record<string, string> {
  const names: Record<string, string> = {};
  const wanted = new Set<string>(findings.flatMap((each) => [...each.images, ...each.containers]));
  for (const [ref, id] of images.repositories.references ?? []) if (wanted.has(id)) names[id] ??= ref;
  for (const [id, { config }] of containers) {
    const name = config?.Name;
    if (wanted.has(id) && typeof name === "string") names[id] = name.replace(/^\//, "");
  }
  return names;
}

/** What people call an image or container. */
export function nameOf({ names }: Report, id: ImageID | string): string {
  return names[id] ?? shortID(id);
}
