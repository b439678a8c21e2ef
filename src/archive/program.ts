import { spawn } from "node:child_process";
import { once } from "node:events";
import { InvalidParameter, messageOf, Unavailable } from "../spec/index.js";
import { type CodecOptions, feed } from "./codec.js";

/** How a program is called to unpack from stdin to stdout, and the package that has it. */
const programs = {
  bzip2: { args: ["-dc"], from: "bzip2" },
  xz: { args: ["-dc", "--memlimit-decompress=512MiB"], from: "xz-utils" },
} as const;

/**
 * Unpacks `source` by a program, for the two compressions that Node has not and that are rare in images.
 *
 * @throws Unavailable: the program is not installed; InvalidParameter: it found the stream damaged; what `source`
 * throws. The program has ended when this has
 */
export async function* throughProgram(
  name: keyof typeof programs,
  source: AsyncIterable<Uint8Array>,
  { onUsed }: CodecOptions,
): AsyncGenerator<Uint8Array> {
  const child = spawn(name, programs[name].args, { stdio: "pipe", env: { PATH: process.env.PATH, LC_ALL: "C" } });
  child.stdin.on("error", () => {}); // it stopped reading: its exit status says why
  const ended = once(child, "close");
  const said = firstLine(child.stderr);
  await once(child, "spawn").catch((error) => {
    ended.catch(() => {});
    throw missing(name, error);
  });
  try {
    const feeding = feed(source, child.stdin, onUsed);
    yield* child.stdout;
    const [status] = await ended;
    if (feeding.failure) throw feeding.failure.error;
    if (status !== 0) throw new InvalidParameter(`${name} stream damaged: ${(await said) || `${name} failed`}`);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

function missing(name: keyof typeof programs, error: unknown): Unavailable {
  const what = `unpacking ${name} needs the program "${name}": install the package ${programs[name].from}`;
  return new Unavailable(`${what}, or compress with gzip or zstd: ${messageOf(error)}`, { cause: error });
}

/** What a program complains about first; the rest is read and dropped. */
async function firstLine(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream) if (text.length < 4096) text += Buffer.from(chunk).toString("utf8");
  return text.split("\n")[0]!.slice(0, 300);
}
