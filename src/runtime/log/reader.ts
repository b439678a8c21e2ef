import { dirname } from "node:path";
import { Changes } from "./changes.js";
import { wallClockNs } from "./clock.js";
import { type LogFile, openLogFiles } from "./files.js";
import { Follower } from "./follower.js";
import type { LogFormat } from "./format.js";
import { Lines } from "./lines.js";
import { type Part, readPart } from "./part.js";
import { tailOffset } from "./tail.js";
import type { LogPlace } from "./writer.js";

export interface ReadLogOptions extends LogFormat {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Only so many lines of the end, those of both streams counted; all when left out. */
  readonly tail?: number;
  /** Lines from this time on, nanoseconds since 1970. */
  readonly sinceNs?: bigint;
  /** Lines up to this time; with `follow` it ends then. */
  readonly untilNs?: bigint;
  /** Only what stands before this place and is not later: its file may be gone by now, and another have its inode. */
  readonly before?: LogPlace & { readonly atNs: bigint };
  /** Goes on with what is written later; aborted when the container has stopped: it ends when all is given. */
  readonly follow?: AbortSignal;
  /** Ends it at once. */
  readonly signal?: AbortSignal;
}

/**
 * A json-file log, of ours or of dockerd, with the files put aside, in Docker's wire format. A log that is not there is
 * empty. Lines that a crash has cut are left out.
 *
 * @param path of the youngest file
 */
export async function* readLog(path: string, options: ReadLogOptions): AsyncGenerator<Uint8Array> {
  const lines = new Lines(options);
  for await (const part of logParts(path, options, lines)) {
    const bytes = lines.take(part);
    if (bytes.length > 0) yield bytes;
    if (lines.ended || options.signal?.aborted) return;
  }
}

async function* logParts(path: string, options: ReadLogOptions, lines: Lines): AsyncGenerator<Part> {
  const { follow, signal, untilNs } = options;
  using changes = follow && new Changes(dirname(path), signal ? [follow, signal] : [follow]);
  const files = await openLogFiles(path);
  try {
    const start = await startOf(files, options);
    const end = endOf(files, options, lines);
    for (const [index, { handle, size: whole }] of files.entries()) {
      if (index < start.index || index > end.index) continue;
      const size = index === end.index ? Math.min(whole, end.size) : whole;
      yield* readPart(handle, index === start.index ? start.offset : 0, size);
      if (!follow || index < files.length - 1) yield undefined;
    }
    if (!follow || !changes) return;
    await using follower = new Follower(path, files.pop());
    for (;;) {
      const stopped = follow.aborted;
      yield* follower.news();
      if (stopped || signal?.aborted) break;
      const leftMs = untilNs === undefined ? undefined : Number((untilNs - wallClockNs()) / 1_000_000n);
      if (leftMs !== undefined && leftMs <= 0) break;
      await changes.next(leftMs);
    }
    yield undefined;
  } finally {
    await Promise.all(files.map(({ handle }) => handle.close()));
  }
}

/** Where to end: with the file, by its place in the list, and how much of it. */
function endOf(files: readonly LogFile[], { before }: ReadLogOptions, lines: Lines): { index: number; size: number } {
  const index = files.findIndex(({ inode }) => inode === before?.inode);
  if (before) lines.endAt(before.atNs);
  if (!before || index < 0) return { index: files.length, size: 0 };
  // A file that is emptied when it is full has nothing of before.
  return { index, size: files[index]!.size < before.size ? 0 : before.size };
}

/** Where to begin: the file, by its place in the list, and the byte in it. */
async function startOf(
  files: readonly LogFile[],
  { tail, sinceNs }: ReadLogOptions,
): Promise<{ index: number; offset: number }> {
  if (tail === undefined) {
    // What was last written to before is of no interest.
    const index = sinceNs === undefined ? 0 : files.findIndex(({ mtimeNs }) => mtimeNs >= sinceNs);
    return { index: index < 0 ? files.length - 1 : index, offset: 0 };
  }
  let left = tail;
  for (let index = files.length - 1; index >= 0; index--) {
    const { handle, size } = files[index]!;
    const { offset, found } = await tailOffset(handle, size, left);
    left -= found;
    if (left === 0) return { index, offset };
  }
  return { index: 0, offset: 0 };
}
