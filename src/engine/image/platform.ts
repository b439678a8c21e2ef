import { thisPlatform } from "../../image/index.js";
import { InvalidParameter, type Platform } from "../../spec/index.js";

const systems: Readonly<Record<string, string>> = { macos: "darwin" };

const architectures: Readonly<Record<string, Pick<Platform, "architecture" | "variant">>> = {
  i386: { architecture: "386" },
  x86_64: { architecture: "amd64" },
  "x86-64": { architecture: "amd64" },
  aarch64: { architecture: "arm64" },
  armhf: { architecture: "arm", variant: "v7" },
  armel: { architecture: "arm", variant: "v6" },
};

const knownSystems = "aix android darwin dragonfly freebsd illumos ios js linux netbsd openbsd plan9 solaris windows";
const knownArchitectures = "386 amd64 arm arm64 loong64 mips mipsle mips64 mips64le ppc64 ppc64le riscv64 s390x wasm";

/**
 * A platform as users write it: `os/arch[/variant]`, or an operating system or architecture alone; what is missing is
 * this machine's.
 *
 * @throws InvalidParameter: no platform
 * @see containerd, platforms.Parse
 */
export function parsePlatform(text: string): Platform {
  const [first = "", second, variant, ...more] = text.toLowerCase().split("/");
  const bad = (why: string) => new InvalidParameter(`invalid platform ${JSON.stringify(text)}: ${why}`);
  if (more.length > 0 || !/^[a-z0-9_.-]+(\/[a-z0-9_.-]+)*$/i.test(text)) throw bad("want os/arch[/variant]");
  if (second !== undefined) return normal(systems[first] ?? first, second, variant);
  const os = systems[first] ?? first;
  if (knownSystems.split(" ").includes(os)) return { ...thisPlatform, os };
  const alone = normal(thisPlatform.os, first);
  if (knownArchitectures.split(" ").includes(alone.architecture)) return alone;
  throw bad("unknown operating system or architecture");
}

function normal(os: string, named: string, givenVariant?: string): Platform {
  const { architecture, variant = givenVariant } = architectures[named] ?? { architecture: named };
  const full = variant && /^\d/.test(variant) ? `v${variant}` : variant;
  const usual = (architecture === "arm64" && full === "v8") || (architecture === "amd64" && full === "v1");
  return { os, architecture, ...(full && !usual && { variant: full }) };
}
