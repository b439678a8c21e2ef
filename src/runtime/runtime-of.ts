import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isErrno } from "../spec/index.js";
import type { RuntimePlace } from "./runc.js";

/** A program that runs containers, and what it is given before anything else. */
export type Program = Pick<RuntimePlace, "runtime" | "runtimeArgs">;

/** Notes in a bundle, below `containers` of the run directory, that it is another program's than the usual one's. */
export async function writeRuntime(bundle: string, program: Program): Promise<void> {
  await writeFile(fileIn(bundle), JSON.stringify(program), { mode: 0o600 });
}

/** The place with the program that a container is run by. */
export function placeOf(place: RuntimePlace, id: string): RuntimePlace {
  try {
    const program = JSON.parse(readFileSync(fileIn(join(place.directory, "containers", id)), "utf8")) as Program;
    return { ...place, ...program };
  } catch (error) {
    if (isErrno(error, "ENOENT")) return place;
    throw error;
  }
}

function fileIn(bundle: string): string {
  return join(bundle, "runtime.json");
}
