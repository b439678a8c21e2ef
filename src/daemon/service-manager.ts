import { sendDatagram } from "../sys/index.js";

/**
 * Tells the service manager that started this process how it stands; without one, nothing. It may not be told to stop
 * serving by a manager that does not listen, so a failure is `failed`'s to log.
 *
 * @see sd_notify(3), which is this one datagram
 */
export function tellServiceManager(
  state: "READY=1" | "RELOADING=1" | "STOPPING=1",
  failed: (error: Error) => void,
): void {
  const socket = process.env.NOTIFY_SOCKET;
  if (!socket) return;
  try {
    sendDatagram(
      socket,
      state === "RELOADING=1" ? `${state}\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}` : state,
    );
  } catch (error) {
    failed(error as Error);
  }
}
