import { type Command, Option } from "commander";
import { collect } from "../settings.js";

/** An option of a command that sends a request, and what it puts into it. */
export interface Flag<Target> {
  readonly option: () => Option;
  /** @param value text, a list of texts, or true, as the option takes it */
  readonly put: (target: Target, value: never) => void;
}

/** One that takes a value. */
export function word<T>(flags: string, help: string, put: (target: T, value: string) => void): Flag<T> {
  return { option: () => new Option(flags, help), put };
}

/** One that may be repeated. */
export function words<T>(flags: string, help: string, put: (target: T, values: string[]) => void): Flag<T> {
  return { option: () => new Option(flags, `${help}, may be repeated`).argParser(collect), put };
}

/** One that stands alone. */
export function flag<T>(flags: string, help: string, put: (target: T) => void): Flag<T> {
  return { option: () => new Option(flags, help), put };
}

export function addFlags(command: Command, ...groups: readonly (readonly Flag<never>[])[]): Command {
  for (const { option } of groups.flat()) command.addOption(option());
  return command;
}

/** Puts what was given on the command line into `target`, in the order of `flags`. */
export function putFlags<T>(target: T, flags: readonly Flag<T>[], given: Readonly<Record<string, unknown>>): T {
  for (const { option, put } of flags) {
    const value = given[option().attributeName()];
    if (value !== undefined) put(target, value as never);
  }
  return target;
}
