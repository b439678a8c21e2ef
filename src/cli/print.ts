import { once } from "node:events";
import { goJSON } from "../spec/index.js";
import { WrongUsage } from "./failure.js";
import { table } from "./format/table.js";

/** Writes lines to standard output, waiting when the reader is slow. */
export async function print(...lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await write(`${lines.join("\n")}\n`);
}

export async function write(piece: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(piece)) await once(process.stdout, "drain");
}

/** A list to be shown: docker's field names and values, and which of them the table shows, under which heads. */
export interface Listing {
  readonly rows: readonly Readonly<Record<string, string | null>>[];
  readonly columns: Readonly<Record<string, string>>;
}

/** Prints a table, or with `--format json` one object a line. */
export async function printListing({ rows, columns }: Listing, format: string | undefined): Promise<void> {
  if (asJSON(format)) return await print(...rows.map((row) => goJSON(row)));
  const fields = Object.values(columns);
  await print(...table(Object.keys(columns), rows.map((row) => fields.map((field) => row[field] ?? ""))));
}

/** @throws WrongUsage: neither `table` nor `json` */
export function asJSON(format: string | undefined): boolean {
  if (format === "json" || format === "{{json .}}") return true;
  if (format === undefined || format === "table" || format === "") return false;
  throw new WrongUsage(`--format ${JSON.stringify(format)}: only table and json are offered; Go templates are not`);
}
