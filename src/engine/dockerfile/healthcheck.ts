import { type Healthcheck, InvalidParameter } from "../../spec/index.js";
import { parseDuration } from "./duration.js";
import { checkFlags, type Instruction, jsonForm } from "./instruction.js";

const millisecond = 1e6;

/** What a HEALTHCHECK instruction says. @throws InvalidParameter */
export function healthcheckOf(instruction: Instruction): Healthcheck {
  const { flags, rest } = instruction;
  checkFlags(instruction, ["interval", "timeout", "start-period", "start-interval", "retries"]);
  if (rest === "") throw new InvalidParameter("HEALTHCHECK requires at least one argument");
  const [, word = "", command = ""] = /^(\S+)\s*([\s\S]*)$/.exec(rest) ?? [];
  const type = word.toUpperCase();
  if (type === "NONE") {
    if (command !== "") throw new InvalidParameter("HEALTHCHECK NONE takes no arguments");
    return { Test: ["NONE"] };
  }
  if (type !== "CMD") throw new InvalidParameter(`Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`);
  const list = jsonForm(command);
  if (command === "" || list?.length === 0) throw new InvalidParameter("Missing command after HEALTHCHECK CMD");
  const times = {
    Interval: duration(flags, "interval"),
    Timeout: duration(flags, "timeout"),
    StartPeriod: duration(flags, "start-period"),
    StartInterval: duration(flags, "start-interval"),
    Retries: retries(flags.get("retries")),
  };
  return {
    Test: list ? ["CMD", ...list] : ["CMD-SHELL", command],
    ...Object.fromEntries(Object.entries(times).filter(([, value]) => value !== 0)),
  };
}

function duration(flags: ReadonlyMap<string, string>, name: string): number {
  const text = flags.get(name);
  if (text === undefined) return 0;
  if (text === "") throw new InvalidParameter(`Missing a value on flag: ${name}`);
  const ns = parseDuration(text);
  if (ns < millisecond) throw new InvalidParameter(`Interval ${JSON.stringify(name)} cannot be less than 1ms`);
  return ns;
}

function retries(text = ""): number {
  if (text === "") return 0;
  if (!/^-?\d{1,9}$/.test(text)) throw new InvalidParameter(`--retries must be a number (not ${text})`);
  if (Number(text) < 1) throw new InvalidParameter(`--retries must be at least 1 (not ${text})`);
  return Number(text);
}
