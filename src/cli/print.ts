import { InvalidArgumentError, Option } from "commander";
import { goJSON } from "../spec/index.js";
import { table } from "./format/table.js";

/** Writes lines to standard output, waiting when the reader is slow. */
export async function print(...lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await write(`${lines.join("\n")}\n`);
}

/** Resolves when the piece is on its way. @throws EPIPE: nobody reads any more */
/** @throws EPIPE: nobody reads any more */
export async function write(piece: string | Uint8Array): Promise<void> {
  if (!process.stdout.writable) throw Object.assign(new Error("nobody reads standard output"), { code: "EPIPE" });
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}

export type Format = "table" | "json";

/** A list to be shown: docker's field names and values, and which of them the table shows, under which heads. */
export interface Listing {
  readonly rows: readonly Readonly<Record<string, string | null>>[];
  readonly columns: Readonly<Record<string, string>>;
}

/** Prints a table, or with `--format json` one object a line. */
export async function printListing({ rows, columns }: Listing, format: Format | undefined): Promise<void> {
  if (format === "json") return await print(...rows.map((row) => goJSON(row)));
  const fields = Object.values(columns);
  await print(
    ...table(
      Object.keys(columns),
      rows.map((row) => fields.map((field) => cell(field, row[field] ?? ""))),
    ),
  );
}

function cell(field: string, value: string): string {
  return field === "CreatedSince" && value === "" ? "N/A" : value;
}

/** The `--format` of a command; what it cannot be is refused before anything is asked of the daemon. */
export function formatOption(flags = "--format <form>"): Option {
  return new Option(flags, "table or json").argParser((value: string): Format => {
    if (value === "json" || value === "{{json .}}") return "json";
    if (value === "table") return "table";
    throw new InvalidArgumentError("Only table and json are offered; Go templates are not.");
  });
}
