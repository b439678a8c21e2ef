import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { goJSON, type HostConfig, messageOf } from "../spec/index.js";
import { type RuntimePlace, runc } from "./runc.js";
import { placeOf } from "./runtime-of.js";
import { hostFacts } from "./spec/host-facts.js";
import { resourcesOf } from "./spec/resources.js";

/** How often freezing is tried. */
const mostFreezes = 5;

/** Freezes all processes of a running container. @throws Error in the runtime's words */
export async function pauseContainer(place: RuntimePlace, id: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await runc(placeOf(place, id), ["pause", id], { scratch: scratchPath(place) });
    } catch (error) {
      // With cgroup v1 processes may come as fast as they are frozen; the runtime gives up, and lets them go on.
      if (tries === mostFreezes || !/unable to freeze/.test(messageOf(error))) throw error;
    }
  }
}

/** Lets them go on. @throws Error in the runtime's words */
export function resumeContainer(place: RuntimePlace, id: string): Promise<void> {
  return runc(placeOf(place, id), ["resume", id], { scratch: scratchPath(place) });
}

/** Gives a running container the limits of `host`. @throws Error in the runtime's words */
export async function limitContainer(place: RuntimePlace, id: string, host: HostConfig): Promise<void> {
  const scratch = scratchPath(place);
  const { devices: _, ...resources } = resourcesOf(host, [], hostFacts());
  const file = `${scratch}.json`;
  await writeFile(file, goJSON(resources), { mode: 0o600 });
  try {
    await runc(placeOf(place, id), ["update", "--resources", file, id], { scratch });
  } finally {
    await rm(file, { force: true });
  }
}

function scratchPath({ directory }: RuntimePlace): string {
  return join(directory, `runc-${randomBytes(6).toString("hex")}`);
}
