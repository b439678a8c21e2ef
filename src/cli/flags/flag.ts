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

/** Fields that are declared by name, and can hold a value of this type. */
type FieldFor<T, Value> = {
  [Key in keyof T as string extends Key ? never : Key]-?: Value extends T[Key] ? Key : never;
} extends infer Fields
  ? Fields[keyof Fields]
  : never;

/** One whose value is a field. */
export function text<T>(flags: string, help: string, field: FieldFor<T, string>): Flag<T> {
  return word(flags, help, (target, value) => set(target, field, value));
}

/** One whose value becomes a field. @param read gets the option's name too, for what it throws */
export function textAs<T, Value>(
  flags: string,
  help: string,
  field: FieldFor<T, Value>,
  read: (text: string, option: string) => Value,
): Flag<T> {
  const { long } = new Option(flags);
  return word(flags, help, (target, value) => set(target, field, read(value, long ?? flags)));
}

/** One whose values are a field. */
export function texts<T>(flags: string, help: string, field: FieldFor<T, string[]>): Flag<T> {
  return words(flags, help, (target, values) => set(target, field, values));
}

/** One whose values become a field. */
export function textsAs<T, Value>(
  flags: string,
  help: string,
  field: FieldFor<T, Value>,
  read: (texts: string[], option: string) => Value,
): Flag<T> {
  const { long } = new Option(flags);
  return words(flags, help, (target, values) => set(target, field, read(values, long ?? flags)));
}

/** One that makes a field true. */
export function yes<T>(flags: string, help: string, field: FieldFor<T, boolean>): Flag<T> {
  return flag(flags, help, (target) => set(target, field, true));
}

function set<T>(target: T, field: unknown, value: unknown): void {
  target[field as keyof T] = value as T[keyof T];
}

/** Flags of a part of what is sent, as those of the whole. */
export function within<Whole, Part>(
  part: (whole: Whole) => Part,
  ...flags: readonly (readonly Flag<Part>[])[]
): readonly Flag<Whole>[] {
  return flags.flat().map(({ option, put }) => ({ option, put: (whole, value) => put(part(whole), value) }));
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
