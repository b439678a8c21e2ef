import { type FileHandle, open } from "node:fs/promises";
import { syncfs } from "../sys/index.js";
import { naming } from "./naming.js";

/** Makes the names in a directory (made, renamed, removed) outlive a power cut. */
export async function syncDirectory(dir: string): Promise<void> {
  await withOpen(dir, (handle) => handle.sync());
}

/** Makes all that was written to the file system of `dir` outlive a power cut: one call for a tree of any size. */
export async function syncFileSystem(dir: string): Promise<void> {
  await withOpen(dir, (handle) => syncfs(handle.fd));
}

/** Makes a file's content outlive a power cut, whoever wrote it. */
export async function syncFile(file: string): Promise<void> {
  await withOpen(file, (handle) => handle.sync());
}

async function withOpen(path: string, use: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await open(path);
  try {
    await naming(path, () => use(handle));
  } finally {
    await handle.close();
  }
}
