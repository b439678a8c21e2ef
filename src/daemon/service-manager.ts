import { sendDatagram } from "../sys/index.js";

type State = "READY=1" | "RELOADING=1" | "STOPPING=1";

/** The service manager that has started this process, to be told how the daemon stands. @see sd_notify(3) */
export class ServiceManager {
  readonly #socket: string | undefined;
  readonly #failed: (error: Error) => void;

  private constructor(socket: string | undefined, failed: (error: Error) => void) {
    this.#socket = socket;
    this.#failed = failed;
  }

  /**
   * What this process starts does not see the manager from now on: runc would take what it is told for its own.
   *
   * @param failed told when the manager does not listen, which is no reason not to serve
   */
  static take(failed: (error: Error) => void, env: NodeJS.ProcessEnv = process.env): ServiceManager {
    const socket = env.NOTIFY_SOCKET;
    delete env.NOTIFY_SOCKET;
    return new ServiceManager(socket || undefined, failed);
  }

  /** Without a manager nothing happens. */
  tell(state: State): void {
    if (this.#socket === undefined) return;
    const since = state === "RELOADING=1" ? `\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}` : "";
    try {
      sendDatagram(this.#socket, state + since);
    } catch (error) {
      this.#failed(error as Error);
    }
  }
}
