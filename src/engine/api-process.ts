import type { HostConfig } from "./api-container.js";

/** Outcome of a wait. `Error` says why no process came to run. @see engine-api 2.4 */
export interface WaitResult {
  readonly StatusCode: number;
  readonly Error: { readonly Message: string } | null;
}

/** `GET /containers/{c}/top`: the columns of `ps` on the host, one row a process of the container. */
export interface TopResult {
  readonly Titles: string[];
  readonly Processes: string[][];
}

/** Body of `POST /containers/{c}/update`: resources as in `HostConfig`, and the restart policy. */
export type UpdateBody = Pick<HostConfig, "RestartPolicy"> & { readonly [resource: string]: unknown };

/** An object of `GET /containers/{c}/stats`. Times in nanoseconds. @see engine-api 5.6 */
export interface StatsSample {
  readonly name: string;
  readonly id: string;
  /** RFC 3339; year 1 where there was no sample before. */
  readonly read: string;
  readonly preread: string;
  readonly [key: string]: unknown;
}

/** Body of `POST /containers/{c}/exec`. */
export interface ExecCreateBody {
  User?: string;
  Privileged?: boolean;
  Tty?: boolean;
  AttachStdin?: boolean;
  AttachStdout?: boolean;
  AttachStderr?: boolean;
  Detach?: boolean;
  DetachKeys?: string;
  Env?: string[] | null;
  WorkingDir?: string;
  Cmd?: string[] | null;
  ConsoleSize?: number[] | null;
}

/** `GET /exec/{id}/json`. @see engine-api 5.5 */
export interface ExecInspect {
  readonly ID: string;
  readonly Running: boolean;
  /** null until it has ended. */
  readonly ExitCode: number | null;
  readonly ProcessConfig: {
    readonly tty: boolean;
    readonly entrypoint: string;
    readonly arguments: string[];
    readonly privileged: boolean;
    readonly user?: string;
  };
  readonly OpenStdin: boolean;
  readonly OpenStderr: boolean;
  readonly OpenStdout: boolean;
  readonly CanRemove: boolean;
  readonly ContainerID: string;
  readonly DetachKeys: string;
  readonly Pid: number;
}
