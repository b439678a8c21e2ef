import { constants } from "node:os";

/** Signals of Linux that Docker knows beside those Node lists: `SIGRTMIN`, `SIGRTMIN+n`, `SIGRTMAX-n`. */
const realTime = /^RTM(?:IN(?:\+(?:[1-9]|1[0-5]))?|AX(?:-(?:[1-9]|1[0-4]))?)$/;

/** Whether `name` is a signal: with or without `SIG`, in any case, or its number. */
export function isSignal(name: string): boolean {
  if (/^\d+$/.test(name)) return Number(name) >= 1 && Number(name) <= 64;
  const short = name.toUpperCase().replace(/^SIG/, "");
  return `SIG${short}` in constants.signals || realTime.test(short);
}
