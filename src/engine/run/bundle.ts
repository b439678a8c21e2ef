import { readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  containerSpec,
  type OCIProcess,
  type OCISpec,
  type Program,
  specText,
  writeRuntime,
} from "../../runtime/index.js";
import { type HostConfig, InvalidParameter, parseJSON } from "../../spec/index.js";
import type { ContainerParts } from "../container/container-parts.js";
import type { Container } from "../container/container-store.js";
import { ownRuntimes } from "../settings.js";
import type { HeldTree } from "./hold.js";
import type { Attachment } from "./network-attachment.js";
import { resolveMounts } from "./resolve-mounts.js";
import { joined } from "./shared-namespaces.js";

/** What a bundle is made from beside the container's files. */
export interface BundleParts {
  readonly held: HeldTree;
  readonly attachment: Attachment;
}

/**
 * Writes the OCI bundle that a runtime starts a container from.
 *
 * @returns its directory, below the run directory
 */
export async function writeBundle(
  parts: ContainerParts,
  { stored, host }: Container,
  { held, attachment }: BundleParts,
): Promise<string> {
  const { HostnamePath, HostsPath, ResolvConfPath } = stored;
  const init = initProgram(parts, host.Init ?? parts.defaults.init);
  const program = programOf(parts, host);
  const spec = await containerSpec({
    id: stored.ID,
    rootfs: held.rootfs,
    path: stored.Path,
    args: stored.Args,
    config: stored.Config,
    host,
    mounts: await resolveMounts(parts, stored, program ?? parts.runtimePlace),
    files: {
      ...(HostnamePath && { hostname: HostnamePath }),
      ...(HostsPath && { hosts: HostsPath }),
      ...(ResolvConfPath && { resolvConf: ResolvConfPath }),
    },
    ...(held.shm !== undefined && { shm: held.shm }),
    join: { ...(attachment.namespace && { network: attachment.namespace }), ...joined(parts.store, host) },
    ...(init !== undefined && { init }),
    ...(typeof stored.NoNewPrivileges === "boolean" && { noNewPrivileges: stored.NoNewPrivileges }),
    defaults: parts.setupDefaults,
  });
  const bundle = bundleOf(parts, stored.ID);
  await rm(bundle, { recursive: true, force: true });
  await mkdir(bundle, { recursive: true, mode: 0o700 });
  await writeFile(join(bundle, "config.json"), specText(spec), { mode: 0o600 });
  if (program) await writeRuntime(bundle, program);
  return bundle;
}

/** The runtime a container names, or that is usual; undefined: `runc`. @throws InvalidParameter: it is known no more */
function programOf({ settings }: ContainerParts, { Runtime }: HostConfig): Program | undefined {
  const { runtimes, defaultRuntime } = settings.current;
  const name = Runtime || defaultRuntime;
  if (ownRuntimes.includes(name)) return undefined;
  const program = runtimes[name];
  if (!program) throw new InvalidParameter(`Unknown runtime specified ${name}`);
  return { runtime: program.path, ...(program.runtimeArgs && { runtimeArgs: program.runtimeArgs }) };
}

/** Directory of a container's bundle. */
export function bundleOf({ runDirectory }: ContainerParts, id: string): string {
  return join(runDirectory, "containers", id);
}

/** The process that a running container was started with. */
export function runningProcess(parts: ContainerParts, id: string): OCIProcess {
  // In memory: through a thread it would take longer than the reading.
  const text = readFileSync(join(bundleOf(parts, id), "config.json"), "utf8");
  return (parseJSON(text) as OCISpec).process;
}

function initProgram({ initPath }: ContainerParts, wanted: boolean | null | undefined): string | undefined {
  return wanted ? initPath() : undefined;
}
