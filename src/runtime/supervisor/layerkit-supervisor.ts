/**
 * The program of the supervisor, started by `launch.ts` in a session of its own: `RUN-DIRECTORY RUNTIME IDLE-MS`. It says
 * on descriptor 3, which it then closes, `ready` when it can be spoken to, or `taken` when another serves the directory.
 */
import { closeSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { messageOf } from "../../spec/index.js";
import type { Exit } from "./contract.js";
import { Reaper } from "./reaper.js";
import { Records } from "./records.js";
import { lockRunDirectory, removeRunDirectory, runDirectory } from "./run-directory.js";
import { SupervisorServer } from "./server.js";
import { Supervision } from "./supervision.js";

const [directory = "", runtime = "", idleMs = ""] = process.argv.slice(2);
const files = runDirectory(directory);
/** A client that stays connected and asks for nothing keeps it so many times longer. */
const patience = 20;

function say(message: string): void {
  console.error(`${new Date().toISOString()} ${message}`);
}

function answerParent(word: "ready" | "taken"): void {
  try {
    writeSync(3, word);
  } catch {
    // Whoever started this has gone.
  }
  closeSync(3);
}

/** Of all processes this is the last to be killed for want of memory. */
function protect(): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", "-999");
  } catch (error) {
    say(`not protected from the OOM killer: ${messageOf(error)}`);
  }
}

async function serve(lock: number): Promise<void> {
  protect();
  const events = { exited: (exit: Exit) => server.exited(exit), say };
  const supervision = new Supervision({ directory, runtime }, new Records(directory), new Reaper(), events);
  const server = new SupervisorServer(supervision);
  rmSync(files.socket, { force: true });
  await supervision.recover();
  await server.listen(files.socket);
  answerParent("ready");

  let idleSince = performance.now();
  const look = setInterval(() => {
    const now = performance.now();
    // Exits are on disk as well: without a client they can wait there for the next supervisor.
    const waits = server.clients > 0 && !supervision.settled;
    if (!supervision.idle || !server.idle || waits) idleSince = now;
    if (now - idleSince >= Number(idleMs) * (server.clients === 0 ? 1 : patience)) leave();
  }, Number(idleMs) / 2);

  function leave(): void {
    clearInterval(look);
    const alone = server.clients === 0;
    // Takes its socket's file away, which must not be that of the next one: that may start before this has ended.
    server.leave();
    if (alone) removeRunDirectory(directory);
    closeSync(lock);
  }
  process.on("SIGTERM", () => (supervision.idle && server.idle ? leave() : say("SIGTERM: there are containers")));
}

process.title = "layerkit-supervisor";
for (const signal of ["SIGHUP", "SIGINT"] as const) process.on(signal, () => {});
// All containers would die with it.
process.on("uncaughtException", (error) => say(error.stack ?? messageOf(error)));
process.on("unhandledRejection", (error) => say(error instanceof Error ? (error.stack ?? "") : messageOf(error)));

const lock = lockRunDirectory(directory);
if (lock === undefined) answerParent("taken");
else {
  await serve(lock).catch((error: unknown) => {
    say(`not started: ${messageOf(error)}`);
    process.exit(1);
  });
}
