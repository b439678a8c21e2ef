import { libc } from "./libc.js";
import { SyscallError } from "./syscall-error.js";

const POSIX_SPAWN_SETSIGDEF = 4;
const POSIX_SPAWN_SETSIGMASK = 8;
const O_RDWR = 2;
/** Larger than the C libraries' structures, and their sets of signals. @see spawn.h */
const [structure, signals] = [512, 128];

/** A standard stream of a program: what a descriptor is open for, or nothing. */
export type StandardStream = number | "ignore";

/**
 * Starts a program, found by `PATH`, in the working directory and with the environment of this process, and with all
 * signals as they are by default. It has the standard streams that are given, and descriptors that do not close on exec.
 *
 * Nothing of this process is copied for it, so that it takes as long for a large process as for a small one: where Node
 * forks, that is milliseconds. Node does not hear of its end: that has to be asked for by `reap`.
 *
 * @param streams stdin, stdout and stderr; those that are not given are ignored
 * @returns its number @throws SyscallError: it cannot be started, `ENOENT` when there is none @see posix_spawn(3)
 */
export function startProgram(file: string, args: readonly string[], streams: readonly StandardStream[]): number {
  const [actions, attributes] = [new Uint8Array(structure), new Uint8Array(structure)];
  must(libc.posix_spawn_file_actions_init(actions));
  try {
    for (let fd = 0; fd < 3; fd++) {
      const stream = streams[fd] ?? "ignore";
      if (stream === "ignore") must(libc.posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0));
      else must(libc.posix_spawn_file_actions_adddup2(actions, stream, fd));
    }
    must(libc.posix_spawnattr_init(attributes));
    must(libc.posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
    must(libc.posix_spawnattr_setsigdefault(attributes, new Uint8Array(signals).fill(0xff)));
    must(libc.posix_spawnattr_setsigmask(attributes, new Uint8Array(signals)));
    const pid = new Int32Array(1);
    const env = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
    must(libc.posix_spawnp(pid, file, actions, attributes, [file, ...args, null], [...env, null]), file);
    return pid[0]!;
  } finally {
    libc.posix_spawn_file_actions_destroy(actions);
  }
}

/** These give the error instead of leaving it in errno. */
function must(errno: number, path?: string): void {
  if (errno !== 0) throw new SyscallError(errno, "posix_spawn", path);
}
