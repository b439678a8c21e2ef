import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomic } from "../disk/index.js";
import { isErrno } from "../spec/index.js";

/** The lasting name of a data root's engine, in the file where newer dockerds have it. */
export async function engineID(root: string, writable: boolean): Promise<string> {
  const file = join(root, "engine-id");
  const known = await readFile(file, "utf8").catch((error) => {
    if (isErrno(error, "ENOENT")) return "";
    throw error;
  });
  if (known.trim() !== "") return known.trim();
  const id = randomUUID();
  if (writable) await writeAtomic(file, id, { mode: 0o600 });
  return id;
}
