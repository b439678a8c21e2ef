import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { Unavailable } from "../../spec/index.js";
import type { ContainerSetup } from "./setup.js";

/** Where a container has its init program. */
export const initPath = "/sbin/docker-init";

const names = ["docker-init", "tini-static", "tini"];
const libraries = ["/usr/libexec/docker", "/usr/local/libexec/docker", "/usr/lib/docker"];

/** Absolute path of an init program for containers on this host. @throws Unavailable: there is none */
export function findInit(): string {
  const directories = [...(process.env.PATH ?? "").split(":").filter(Boolean), ...libraries];
  const paths = names.flatMap((name) => directories.map((directory) => join(directory, name)));
  const found = paths.find(isExecutable);
  if (found) return found;
  throw new Unavailable('exec: "docker-init": executable file not found in $PATH; install tini to run with --init');
}

/** A container among the processes of another has an init program there. */
export function startsInit({ init, host }: Pick<ContainerSetup, "init" | "host">): boolean {
  return init !== undefined && !host.PidMode;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
