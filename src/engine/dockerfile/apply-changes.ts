import { posix } from "node:path";
import { InvalidParameter, type RunConfig } from "../../spec/index.js";
import { isSignal } from "../container/signal.js";
import { healthcheckOf } from "./healthcheck.js";
import { checkFlags, type Instruction, jsonForm, parseInstruction } from "./instruction.js";
import { logicalLines } from "./logical-lines.js";
import { exposedPorts } from "./ports.js";
import { expanded, expandedWords, splitWords } from "./words.js";

/**
 * What Dockerfile lines (`docker commit --change`, `docker import --change`) make of a run config, which itself is
 * left as it is. Variables are looked up in the config's `Env`. An ENTRYPOINT without a CMD in the same lines takes
 * the command away.
 *
 * @throws InvalidParameter: an instruction that changes no config, or a malformed one; the text is Docker's
 */
export function applyChanges(config: RunConfig, changes: readonly string[]): RunConfig {
  if (changes.length === 0) return config;
  const instructions = logicalLines(changes.join("\n")).map(parseInstruction);
  if (instructions.length === 0) throw new InvalidParameter("file with no instructions");
  const unknown = instructions.find(({ keyword }) => !Object.hasOwn(apply, keyword));
  if (unknown) throw new InvalidParameter(`${unknown.keyword.toLowerCase()} is not a valid change command`);
  let changed = config;
  let hasCommand = false;
  for (const instruction of instructions) {
    hasCommand ||= instruction.keyword === "CMD";
    changed = { ...changed, ...apply[instruction.keyword]?.(changed, instruction) };
    if (instruction.keyword === "ENTRYPOINT" && !hasCommand) changed = { ...changed, Cmd: null };
  }
  return changed;
}

/** By keyword, what an instruction puts into the config. */
const apply: Readonly<Record<string, (config: RunConfig, instruction: Instruction) => RunConfig>> = {
  CMD: (config, instruction) => ({ Cmd: commandLine(config, instruction) }),
  ENTRYPOINT: (config, instruction) => ({ Entrypoint: entrypoint(config, instruction) }),
  ENV: (config, instruction) => ({ Env: pairs(config, instruction).reduce(withVariable, config.Env ?? []) }),
  LABEL: (config, instruction) => ({ Labels: { ...config.Labels, ...Object.fromEntries(pairs(config, instruction)) } }),
  EXPOSE: (config, instruction) => ({
    ExposedPorts: { ...config.ExposedPorts, ...asSet(ports(config, instruction)) },
  }),
  VOLUME: (config, instruction) => ({ Volumes: { ...config.Volumes, ...asSet(volumePaths(config, instruction)) } }),
  USER: (config, instruction) => ({ User: single(config, instruction) }),
  WORKDIR: (config, instruction) => ({ WorkingDir: workingDirectory(config, single(config, instruction)) }),
  STOPSIGNAL: (config, instruction) => ({ StopSignal: signal(single(config, instruction)) }),
  SHELL: (_config, instruction) => ({ Shell: shell(instruction) }),
  ONBUILD: (config, instruction) => ({ OnBuild: [...(config.OnBuild ?? []), trigger(instruction)] }),
  HEALTHCHECK: (_config, instruction) => ({ Healthcheck: healthcheckOf(instruction) }),
};

function commandLine(config: RunConfig, instruction: Instruction): string[] {
  checkFlags(instruction);
  const shell = config.Shell?.length ? config.Shell : ["/bin/sh", "-c"];
  return jsonForm(instruction.rest) ?? (instruction.rest === "" ? [...shell] : [...shell, instruction.rest]);
}

function entrypoint(config: RunConfig, instruction: Instruction): string[] | null {
  const line = commandLine(config, instruction);
  return instruction.rest === "" || line.length === 0 ? null : line;
}

/** `NAME=VALUE …`, or the old form `NAME the rest`. */
function pairs(config: RunConfig, instruction: Instruction): [name: string, value: string][] {
  const { keyword, rest } = instruction;
  checkFlags(instruction);
  const words = splitWords(rest);
  if (words[0] === undefined) throw new InvalidParameter(`${keyword} requires at least one argument`);
  const texts = words[0].includes("=") ? words.map(atEquals) : [atSpace(keyword, rest)];
  const environment = config.Env ?? [];
  return texts.map(([name, value]) => {
    const key = expanded(name, environment);
    if (key === "") throw new InvalidParameter(`${keyword} names can not be blank`);
    return [key, expanded(value, environment)];
  });
}

function atEquals(word: string): [string, string] {
  const at = word.indexOf("=");
  if (at < 0) {
    throw new InvalidParameter(
      `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
    );
  }
  return [word.slice(0, at), word.slice(at + 1)];
}

function atSpace(keyword: string, rest: string): [string, string] {
  const match = /^(\S+)\s+([\s\S]+)$/.exec(rest);
  if (!match) throw new InvalidParameter(`${keyword} must have two arguments`);
  return [match[1] ?? "", match[2] ?? ""];
}

function withVariable(environment: readonly string[], [name, value]: readonly [string, string]): string[] {
  const at = environment.findIndex((entry) => entry.startsWith(`${name}=`) || entry === name);
  return at < 0 ? [...environment, `${name}=${value}`] : environment.with(at, `${name}=${value}`);
}

function ports(config: RunConfig, instruction: Instruction): string[] {
  return listed(instruction)
    .flatMap((word) => expandedWords(word, config.Env ?? []))
    .flatMap(exposedPorts);
}

function volumePaths(config: RunConfig, instruction: Instruction): string[] {
  const words = jsonForm(instruction.rest) ?? listed(instruction);
  if (words.length === 0) throw new InvalidParameter("VOLUME requires at least one argument");
  const paths = words.map((word) => expanded(word, config.Env ?? []).trim());
  if (paths.includes("")) throw new InvalidParameter("VOLUME specified can not be an empty string");
  return paths;
}

function listed(instruction: Instruction): string[] {
  const { keyword, rest } = instruction;
  checkFlags(instruction);
  if (rest === "") throw new InvalidParameter(`${keyword} requires at least one argument`);
  return rest.split(/\s+/);
}

function single(config: RunConfig, instruction: Instruction): string {
  checkFlags(instruction);
  if (instruction.rest === "") throw new InvalidParameter(`${instruction.keyword} requires exactly one argument`);
  return expanded(instruction.rest, config.Env ?? []);
}

function workingDirectory(config: RunConfig, path: string): string {
  if (path === "") throw new InvalidParameter("cannot normalize nothing");
  return posix.isAbsolute(path) ? path : posix.join("/", config.WorkingDir ?? "", path);
}

function signal(name: string): string {
  if (!isSignal(name)) throw new InvalidParameter(`Invalid signal: ${name}`);
  return name;
}

function shell({ rest }: Instruction): string[] {
  const list = jsonForm(rest);
  if (!list) throw new InvalidParameter("SHELL requires the arguments to be in JSON form");
  if (list.length === 0) throw new InvalidParameter("SHELL requires at least one argument");
  return list;
}

function trigger({ rest, original }: Instruction): string {
  if (rest === "") throw new InvalidParameter("ONBUILD requires at least one argument");
  const keyword = (rest.split(/\s/)[0] ?? "").toUpperCase();
  if (keyword === "ONBUILD") throw new InvalidParameter("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (keyword === "MAINTAINER" || keyword === "FROM") {
    throw new InvalidParameter(`${keyword} isn't allowed as an ONBUILD trigger`);
  }
  return original.replace(/^\s*onbuild\s*/i, "");
}

function asSet(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}
