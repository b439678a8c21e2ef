import { spawn } from "node:child_process";
import type { Asked, Told } from "./runner.js";

// Runs programs for a process that has grown large. What still runs ends with it.
const running = new Set<AbortController>();
process.on("message", (asked: Asked) => void runFor(asked));
process.on("disconnect", () => {
  for (const each of running) each.abort();
  process.exit();
});

async function runFor({ id, ...what }: Asked): Promise<void> {
  const ended = new AbortController();
  running.add(ended);
  const told = await runToEnd(what, ended.signal);
  running.delete(ended);
  if (process.connected) process.send!({ id, ...told } satisfies Told);
}

type Ended = Omit<Told, "id">;

function runToEnd({ file, args, input, timeoutMs, ...where }: Omit<Asked, "id">, signal: AbortSignal): Promise<Ended> {
  const limit = timeoutMs === undefined ? {} : { timeout: timeoutMs };
  const child = spawn(file, args, { ...where, ...limit, signal, killSignal: "SIGKILL" });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on("error", () => {}); // it need not read what it is given
  child.stdin.end(input);
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ error: { ...error, message: error.message } }));
    child.once("close", (code, signal) => {
      resolve({ ended: { status: code ?? -1, signal, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) } });
    });
  });
}
