import { output } from "./run.js";

/** What du(1) says of a directory, in the file system that it is on. */
export async function du(path: string): Promise<{ readonly Bytes: number; readonly Inodes: number }> {
  const count = async (...flags: string[]) => Number.parseInt(await output("du", ["-sx", ...flags, path]), 10);
  const [Bytes, Inodes] = await Promise.all([count("--block-size=1"), count("--inodes")]);
  return { Bytes, Inodes };
}
