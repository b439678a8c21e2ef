import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { SyscallError } from "../sys/index.js";
import { Removal } from "./removal.js";

/** What the worker answers: nothing when all is gone. */
export type Failure = { readonly errno: number; readonly syscall: string; readonly path: string } | string | undefined;

const patienceMs = 4;
/** So many steps are no reason for a thread, which takes longer to start: on a busy machine the clock says little. */
const small = 64;
let working: Promise<unknown> = Promise.resolve();

/**
 * Removes what is at `path`, with all that is in it, whatever the names and however much. What is mounted in it is
 * unmounted and not emptied; symlinks are not followed; what is busy is tried again for five seconds. Nothing there
 * is success. A small tree goes at once, a large one in a worker thread; several of these follow one another.
 *
 * @throws SyscallError: the first thing that cannot be removed; what came before it is gone
 */
export async function removeTree(path: string): Promise<void> {
  const absolute = resolve(path);
  if (removedAtOnce(absolute)) return;
  const removal = working.then(() => inWorker(absolute));
  working = removal.catch(() => {});
  await removal;
}

function removedAtOnce(path: string): boolean {
  const end = performance.now() + patienceMs;
  let steps = 0;
  // Leaving the loop early ends the generator, which closes what it has open.
  for (const step of new Removal(true).run(path)) {
    if (step !== "done" || (++steps > small && performance.now() > end)) return false;
  }
  return true;
}

function inWorker(path: string): Promise<void> {
  return new Promise((done, fail) => {
    const worker = new Worker(new URL("./remove-tree-worker.js", import.meta.url), { workerData: path, execArgv: [] });
    worker.once("error", fail);
    worker.once("exit", (code) => fail(new Error(`the thread removing ${path} ended with ${code}`)));
    worker.once("message", (failure: Failure) => {
      if (failure === undefined) done();
      else fail(typeof failure === "string" ? new Error(failure) : thrown(failure));
    });
  });
}

function thrown({ errno, syscall, path }: Exclude<Failure, string | undefined>): SyscallError {
  return new SyscallError(errno, syscall, path);
}
