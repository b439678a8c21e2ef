import { Unavailable } from "../spec/index.js";

/** The first descriptor that a service manager hands over. @see sd_listen_fds(3) */
const firstFD = 3;

/**
 * The descriptors of listening sockets that a service manager has opened for this process. They can be taken once:
 * what this process starts does not see them.
 *
 * @throws Unavailable: there are none
 */
export function takeActivated(env: NodeJS.ProcessEnv = process.env, pid = process.pid): number[] {
  const count = env.LISTEN_PID === String(pid) ? Number(env.LISTEN_FDS) : 0;
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete env[name];
  if (!(count > 0)) {
    throw new Unavailable(
      "no sockets found via socket activation: fd:// needs a service manager that hands them over, as systemd does " +
        "with contrib/systemd/layerkit.socket; or name a socket by -H unix:///PATH",
    );
  }
  return Array.from({ length: count }, (_, index) => firstFD + index);
}
