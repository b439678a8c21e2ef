import { join } from "node:path";

/** Files of a run directory, which is short-lived and for one user alone. */
export function runDirectory(directory: string) {
  return {
    /** Where the supervisor is spoken to. */
    socket: join(directory, "supervisor.sock"),
    /** What it has to say about itself. */
    log: join(directory, "supervisor.log"),
    /** An exclusive `flock` as long as it lives. */
    lock: join(directory, "supervisor.lock"),
    /** A file for each process that runs or whose exit is not acknowledged. */
    processes: join(directory, "processes"),
  };
}
