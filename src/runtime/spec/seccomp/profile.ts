import { messageOf, parseJSON } from "../../../spec/index.js";
import { RuntimeFailure } from "../../failure.js";
import type { OCISeccomp, OCISyscallArg } from "../oci.js";

/** A seccomp profile as users write them for Docker: rules for all machines and capabilities, to be narrowed to one. */
export interface Profile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  /** Either this or `archMap`. */
  readonly architectures?: readonly string[];
  readonly archMap?: readonly { readonly architecture: string; readonly subArchitectures?: readonly string[] | null }[];
  readonly flags?: readonly string[];
  readonly syscalls?: readonly Rule[] | null;
}

export interface Rule {
  /** Either these or `name`. */
  readonly names?: readonly string[];
  readonly name?: string;
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly OCISyscallArg[] | null;
  /** All of it has to hold for the rule to count. */
  readonly includes?: Condition | null;
  /** None of it may hold. */
  readonly excludes?: Condition | null;
}

export interface Condition {
  readonly caps?: readonly string[] | null;
  /** As Go names them: `amd64`. */
  readonly arches?: readonly string[] | null;
  /** `4.8`. */
  readonly minKernel?: string;
}

/** What a profile is narrowed to. */
export interface Circumstances {
  readonly capabilities: readonly string[];
  /** As Node names it. */
  readonly arch: string;
  readonly kernel: readonly [number, number];
}

/** @throws RuntimeFailure: not a profile */
export function checkSeccompProfile(text: string): void {
  parseProfile(text);
}

/** @throws RuntimeFailure: not a profile */
export function parseProfile(text: string): Profile {
  const profile = parsed(text) as Profile | null;
  const bad = (why: string) => new RuntimeFailure(`Decoding seccomp profile failed: ${why}`);
  if (profile === null || typeof profile !== "object" || Array.isArray(profile)) throw bad("not an object");
  if (typeof profile.defaultAction !== "string") throw bad("no defaultAction");
  if (!Array.isArray(profile.syscalls ?? [])) throw bad("syscalls is not a list");
  if (!isTexts(profile.architectures) || !isTexts(profile.flags)) throw bad("architectures or flags is not a list");
  if (
    !Array.isArray(profile.archMap ?? []) ||
    !(profile.archMap ?? []).every((each) => isTexts(each?.subArchitectures))
  ) {
    throw bad("archMap is not a list of machines");
  }
  for (const rule of profile.syscalls ?? []) {
    if (!isTexts(rule?.names ?? [rule?.name]) || typeof rule.action !== "string")
      throw bad("a rule without names or action");
    if (!Array.isArray(rule.args ?? [])) throw bad("args of a rule is not a list");
    if (!isCondition(rule.includes) || !isCondition(rule.excludes))
      throw bad("includes or excludes of a rule is no condition");
    if (rule.name && rule.names?.length) throw new RuntimeFailure(twice("name", "names"));
  }
  if (profile.architectures?.length && profile.archMap?.length) {
    throw new RuntimeFailure(twice("architectures", "archMap"));
  }
  return profile;
}

function isTexts(value: unknown): boolean {
  return value == null || (Array.isArray(value) && value.every((each) => typeof each === "string"));
}

function isCondition(value: unknown): boolean {
  const { caps, arches, minKernel = "" } = (value ?? {}) as Condition;
  return isTexts(caps) && isTexts(arches) && typeof minKernel === "string";
}

function parsed(text: string): unknown {
  try {
    return parseJSON(text);
  } catch (error) {
    throw new RuntimeFailure(`Decoding seccomp profile failed: ${messageOf(error)}`, { cause: error });
  }
}

function twice(one: string, other: string): string {
  return `'${one}' and '${other}' were specified in the seccomp profile, use either '${one}' or '${other}'`;
}

/** A machine as Node, Go and libseccomp name it. */
const machines: Readonly<Record<string, readonly [go: string, seccomp: string]>> = {
  x64: ["amd64", "SCMP_ARCH_X86_64"],
  ia32: ["x86", "SCMP_ARCH_X86"],
  arm64: ["arm64", "SCMP_ARCH_AARCH64"],
  arm: ["arm", "SCMP_ARCH_ARM"],
  ppc64: ["ppc64le", "SCMP_ARCH_PPC64LE"],
  s390x: ["s390x", "SCMP_ARCH_S390X"],
  riscv64: ["riscv64", "SCMP_ARCH_RISCV64"],
};

/** The rules of a profile that count here. */
export function narrowed(profile: Profile, here: Circumstances): OCISeccomp {
  const { architectures = [], archMap = [], syscalls, defaultAction, defaultErrnoRet, flags } = profile;
  const own = archMap.find((each) => each?.architecture === machines[here.arch]?.[1]);
  const all = [...architectures, ...(own ? [own.architecture, ...(own.subArchitectures ?? [])] : [])];
  return {
    defaultAction,
    ...(defaultErrnoRet !== undefined && { defaultErrnoRet }),
    ...(all.length > 0 && { architectures: all }),
    ...(flags && { flags }),
    syscalls: (syscalls ?? []).filter((rule) => counts(rule, here)).map(withoutConditions),
  };
}

function counts({ includes, excludes }: Rule, here: Circumstances): boolean {
  const [is, isNot] = [conditions(includes, here), conditions(excludes, here)];
  return is.every(Boolean) && !isNot.some(Boolean);
}

/** For each thing a condition names whether it holds: every capability, one of the machines, the kernel's version. */
function conditions(condition: Condition | null | undefined, here: Circumstances): boolean[] {
  const { caps, arches, minKernel } = condition ?? {};
  return [
    ...(caps ?? []).map((name) => here.capabilities.includes(name)),
    ...(arches?.length ? [arches.includes(machines[here.arch]?.[0] ?? "")] : []),
    ...(minKernel ? [isSince(minKernel, here.kernel)] : []),
  ];
}

function isSince(version: string, [major, minor]: readonly [number, number]): boolean {
  const [wantedMajor = 0, wantedMinor = 0] = version.split(".").map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function withoutConditions({ names, name, action, errnoRet, args }: Rule) {
  return {
    names: names ?? (name === undefined ? [] : [name]),
    action,
    ...(errnoRet !== undefined && { errnoRet }),
    ...(args?.length && { args }),
  };
}
