import { output } from "./run.js";

/**
 * What is in an archive, by GNU tar: names, types, owners, modes, sizes, links, and times but of directories, which
 * storage drivers think differently of; and how many bytes all files have together.
 */
export async function tarListing(file: string): Promise<string[]> {
  const listing = await output("tar", ["-tvf", file, "--full-time", "--numeric-owner"]);
  const timeless = (line: string) => (line.startsWith("d") ? line.replace(/\d{4}-\S+ \S+ /, "") : line);
  const bytes = await output("sh", ["-c", `tar -xOf "$1" | wc -c`, "sh", file]);
  return [...listing.split("\n").map(timeless).sort(), bytes.trim()];
}
