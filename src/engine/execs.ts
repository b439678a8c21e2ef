import type { ExecCreateBody, ExecInspect } from "./api-process.js";
import type { AbortOption } from "./images.js";
import type { ProcessStream, TerminalSize } from "./processes.js";

/**
 * Further processes in running containers. They are known by their full ids, for as long as the container runs and
 * some minutes more; unknown ones reject with NotFound "No such exec instance: ID".
 */
export interface Execs {
  /** @throws NotFound: no such container; Conflict: not running, or paused; InvalidParameter "No exec command specified" */
  create(name: string, body: ExecCreateBody): Promise<{ Id: string }>;
  /**
   * Attached: resolves to its streams at once; a program that cannot be started is told there, in one frame, and exit
   * code 126 or 127, and so is that it has been started before. Ending the write half ends its standard input; the exit code is known before the stream ends.
   * Detached: resolves to undefined when it runs.
   *
   * @throws NotFound; Conflict: the container is stopped or paused; detached also that it has been started before, and
   * what the runtime says
   */
  start(id: string, options: ExecStartOptions): Promise<ProcessStream | undefined>;
  /** @throws NotFound: it has ended */
  resize(id: string, size: TerminalSize): Promise<void>;
  inspect(id: string): Promise<ExecInspect>;
}

export interface ExecStartOptions extends AbortOption {
  readonly detach?: boolean;
  /** What is told in place of the streams is raw; as the process's terminal says unless given. */
  readonly tty?: boolean;
}
