import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { Unavailable } from "../../spec/index.js";

/** What a program of the system answers to `input`, with `env` beside PATH. @throws Unavailable: in its own words */
export function answerOf(
  path: string,
  args: readonly string[],
  { input, env = {} }: { readonly input: string; readonly env?: Readonly<Record<string, string>> },
): Promise<string> {
  const PATH = process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin";
  const child = spawn(path, args, { env: { PATH, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  child.stdin.on("error", () => {}); // it may fail before it reads
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Unavailable(`${path}: ${error.message}`, { cause: error })));
    child.once("close", (status) => {
      const said = Buffer.concat(out).toString();
      if (status === 0) resolve(said);
      else reject(new Unavailable(`${path}: ${failureIn(said) || Buffer.concat(err).toString().trim()}`));
    });
  });
}

/** Plugins tell a failure as JSON on their standard output. */
function failureIn(said: string): string {
  try {
    const { msg = "", details = "", error = "" } = JSON.parse(said) as Record<string, string>;
    return [error, msg, details].filter((text) => text !== "").join(": ");
  } catch {
    return said.trim();
  }
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
