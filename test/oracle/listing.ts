import { output } from "./run.js";

/** Every path below a directory with its type, size and link target, by find(1): equal when nothing has changed. */
export async function listing(directory: string): Promise<string[]> {
  return (await output("find", [directory, "-mindepth", "1", "-printf", "%P %y %s %l\\n"])).split("\n").sort();
}
