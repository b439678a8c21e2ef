import { constants } from "node:os";
import { InvalidParameter } from "../../spec/index.js";
import { isSignal } from "../container/signal.js";

const realTimeMin = 34;
const realTimeMax = 64;

/** The number of a signal: a name with or without `SIG`, in any case, or a number. @throws InvalidParameter */
export function signalNumber(name: string): number {
  if (!isSignal(name)) throw new InvalidParameter(`Invalid signal: ${name}`);
  if (/^\d+$/.test(name)) return Number(name);
  const short = name.toUpperCase().replace(/^SIG/, "");
  const [, end, distance = "0"] = /^RTM(IN|AX)[+-]?(\d*)$/.exec(short) ?? [];
  if (end === "IN") return realTimeMin + Number(distance || 0);
  if (end === "AX") return realTimeMax - Number(distance || 0);
  return constants.signals[`SIG${short}` as keyof typeof constants.signals];
}

/** The signal that asks a container to stop. */
export function stopSignal(given: string | undefined): number {
  return given ? signalNumber(given) : constants.signals.SIGTERM;
}
