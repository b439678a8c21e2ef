import type { HostConfig } from "../api-container.js";

const first = 100;
const longest = 60_000;
const goodRunMs = 10_000;

/** How a run of a container came to its end. */
export interface EndedRun {
  readonly exitCode: number;
  readonly ranMs: number;
  /** Somebody stopped or killed it, or did so before the daemon came. */
  readonly manually: boolean;
}

/**
 * Whether and when a container is started again: after 100 ms, then twice as long each time up to a minute, and from
 * the beginning again once it has run for ten seconds. @see moby restartmanager
 */
export class RestartBackoff {
  #delayMs = 0;
  #count = 0;
  #cancelled = false;

  /** How long to wait before it is started again; undefined: it is not. */
  next(policy: HostConfig["RestartPolicy"], { exitCode, ranMs, manually }: EndedRun): number | undefined {
    if (this.#cancelled) return undefined;
    if (ranMs >= goodRunMs) this.#delayMs = 0;
    this.#delayMs = Math.min(this.#delayMs === 0 ? first : this.#delayMs * 2, longest);
    if (!this.#wants(policy ?? {}, exitCode, manually)) return undefined;
    this.#count++;
    return this.#delayMs;
  }

  #wants(
    { Name, MaximumRetryCount: most = 0 }: NonNullable<HostConfig["RestartPolicy"]>,
    code: number,
    manually: boolean,
  ) {
    if (Name === "always") return true;
    if (Name === "unless-stopped") return !manually;
    return Name === "on-failure" && code !== 0 && (most === 0 || this.#count < most);
  }

  /** It is not started again when it ends next. */
  cancel(): void {
    this.#cancelled = true;
  }

  /** Somebody starts it: as if nothing had been. */
  reset(): void {
    this.#delayMs = 0;
    this.#count = 0;
    this.#cancelled = false;
  }
}
