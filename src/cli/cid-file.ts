import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { WrongUsage } from "./failure.js";

/** @throws WrongUsage: it is there; who reads it would take another container for this one */
export function assertNoCidFile(file: string | undefined): void {
  if (file !== undefined && existsSync(file))
    throw new WrongUsage(`--cidfile ${file}: the file is there: see that its container is not in use, and delete it`);
}

export async function writeCidFile(file: string | undefined, id: string): Promise<void> {
  if (file !== undefined) await writeFile(file, id, { flag: "wx" });
}
