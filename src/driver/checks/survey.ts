import { existsSync } from "node:fs";
import { rmdir } from "node:fs/promises";
import os from "node:os";
import { dirname } from "node:path";
import { messageOf } from "../../spec/index.js";
import { parseOptions } from "../overlay2/options.js";
import { backingCheck, backingFilesystem } from "./backing-filesystem.js";
import type { Check } from "./check.js";
import { dTypeCheck } from "./d-type.js";
import { defaultsCheck, overlayCheck, switchOff } from "./kernel-overlay.js";
import { kernelCheck } from "./kernel-version.js";
import { whyNoNativeDiff } from "./native-diff.js";
import { osRelease } from "./os-release.js";
import { featuresHere, mountCheck, probeOverlay } from "./overlay-probe.js";
import { inProbeDirectory } from "./probe-directory.js";
import { userNamespaceCheck } from "./user-namespace.js";

/** What storage drivers would find in a place. */
export interface Survey {
  /** What was looked at: the directory, or the nearest above it that exists. */
  readonly directory: string;
  readonly checks: readonly Check[];
  /** By name; a driver that works has no `obstacles`. */
  readonly drivers: readonly Verdict[];
}

export interface Verdict {
  readonly name: string;
  /** Names of checks that keep it from working. */
  readonly obstacles: readonly string[];
}

/**
 * Does every check that drivers do before use, and those that say how well they would work. Leaves the place as it was;
 * nothing has to be installed, nor the directory be there.
 *
 * @param storageOptions `KEY=VALUE`, as `--storage-opt`
 * @throws InvalidParameter: an option that is none
 */
export async function survey(dir: string, storageOptions: readonly string[] = []): Promise<Survey> {
  const { overrideKernelCheck } = parseOptions(storageOptions);
  const directory = nearest(dir);
  const machine = { release: os.release(), os: osRelease() };
  const common = await inPlace(directory);
  const [overlay2, overlay] = [kernelCheck("overlay2", machine, overrideKernelCheck), kernelCheck("overlay", machine)];
  const kernel = [overlayCheck(machine.release), userNamespaceCheck(machine.release)];
  const failed = (...checks: readonly Check[]) =>
    checks.filter(({ outcome }) => outcome === "failed").map(({ name }) => name);
  return {
    directory,
    checks: [overlay2, overlay, ...kernel, ...common],
    drivers: [
      { name: "overlay2", obstacles: failed(overlay2, ...kernel, ...common) },
      { name: "overlay", obstacles: failed(overlay, ...kernel, ...common) },
      { name: "vfs", obstacles: failed(...common.filter((check) => check.name === writable.name)) },
    ],
  };
}

function nearest(dir: string): string {
  return existsSync(dir) ? dir : nearest(dirname(dir));
}

const writable = { name: "directory", needed: "a directory that can be written to" };

async function inPlace(dir: string): Promise<Check[]> {
  try {
    await inProbeDirectory(dir, "write-check", async (probe) => rmdir(probe));
  } catch (error) {
    const remedy = "be root, or name another directory by --root";
    return [{ ...writable, found: messageOf(error).replace(/, \w+ '.*/, ""), outcome: "failed", remedy }];
  }
  const filesystem = backingFilesystem(dir);
  const features = featuresHere();
  const failure = await probeOverlay(dir, features).then(
    () => undefined,
    (error: unknown) => error,
  );
  return [
    { ...writable, found: dir, outcome: "ok" },
    backingCheck(filesystem, failure === undefined),
    await dTypeCheck(dir, filesystem),
    mountCheck(failure, filesystem),
    defaultsCheck(),
    ...(failure === undefined ? [nativeDiffCheck(await whyNoNativeDiff(dir, features))] : []),
  ];
}

function nativeDiffCheck(why: string | undefined): Check {
  const check = {
    name: "native diff",
    needed: "upper directories that say what was done, so that no trees are compared",
  };
  return why === undefined
    ? { ...check, found: "there", outcome: "ok" }
    : { ...check, found: why, outcome: "warning", remedy: switchOff() };
}
