import { spawn } from "node:child_process";
import { once } from "node:events";
import { InvalidParameter, isErrno, messageOf, Unavailable } from "../spec/index.js";
import { feed } from "./codec.js";

/** How a program is called to unpack from stdin to stdout, and the package that has it. */
const programs = {
  bzip2: { args: ["-dc"], from: "bzip2" },
  xz: { args: ["-dc", "--memlimit-decompress=512MiB"], from: "xz-utils" },
} as const;

/**
 * Unpacks `source` by a program, for the two compressions that Node has not and that are rare in images.
 *
 * @throws Unavailable: the program is not installed; InvalidParameter: it found the stream damaged; what `source`
 * throws; `signal.reason` when aborted. The program has ended when this has
 */
export async function* throughProgram(
  name: keyof typeof programs,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const { args, from } = programs[name];
  const child = spawn(name, args, { stdio: "pipe", env: { PATH: process.env.PATH, LC_ALL: "C" } });
  const ended = once(child, "close");
  const said = firstLine(child.stderr);
  child.stdin.on("error", () => {}); // it stopped reading: its exit status says why
  const stop = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", stop, { once: true });
  try {
    await once(child, "spawn");
    const feeding = feed(source, child.stdin);
    yield* child.stdout;
    const [status] = await ended;
    signal?.throwIfAborted();
    if (feeding.failure) throw feeding.failure.error;
    if (status !== 0) throw new InvalidParameter(`${name} stream damaged: ${(await said) || `${name} failed`}`);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
    const what = `unpacking ${name} needs the program "${name}": install the package ${from}`;
    throw new Unavailable(`${what}, or compress with gzip or zstd: ${messageOf(error)}`, { cause: error });
  } finally {
    signal?.removeEventListener("abort", stop);
    child.kill("SIGKILL");
    await ended.catch(() => {});
  }
}

/** What a program complains about first; the rest is read and dropped. */
async function firstLine(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream) if (text.length < 4096) text += Buffer.from(chunk).toString("utf8");
  return text.split("\n")[0]!.slice(0, 300);
}
