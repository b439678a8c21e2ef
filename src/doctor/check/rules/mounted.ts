import type { Finding, Step } from "../finding.js";
import { isRunning, type Known } from "../known/known.js";
import { finding } from "../rule.js";

/** What a daemon that was killed has left mounted. Of containers that run all is theirs; a live daemon knows its own. */
export function* mounted(known: Known): Generator<Finding> {
  const { state, isLive } = known;
  if (isLive) return;
  if (state.isBoundOnItself) {
    const what = "the root is mounted on itself, as dockerd does while it lives";
    const means = "the root cannot be deleted or unmounted (EBUSY); dockerd's next start and stop clears it";
    yield finding({
      kind: "root-bound",
      severity: "oddity",
      path: state.root,
      what,
      means,
      remedy: [{ kind: "unmount", path: state.root }],
    });
  }
  const busy = [...state.containers.keys()].filter((name) => isRunning(known, name));
  const theirs = busy.flatMap((name) => [`/containers/${name}/`, `/${known.writables.get(name)?.mountID ?? name}/`]);
  for (const { path } of state.mounted) {
    if (!isOurs(known, path) || state.inUse.has(path) || theirs.some((part) => path.includes(part))) continue;
    const what = "it is mounted, though nothing that runs uses it";
    const means = "the layer's directory cannot be removed (EBUSY) until a daemon unmounts it";
    yield finding({
      kind: "mount-left",
      severity: "leftover",
      path,
      what,
      means,
      remedy: [{ kind: "unmount", path }, ...emptied(path)],
    });
  }
  yield* mountPoints(known, theirs);
}

/** Below the home or `containers`: the root may have disks of its own for other things. */
function isOurs({ state: { home, root } }: Known, path: string): boolean {
  return path.startsWith(`${home}/`) || path.startsWith(`${root}/containers/`);
}

function emptied(path: string): Step[] {
  return path.endsWith("/merged") ? [{ kind: "remove-directory", path }] : [];
}

/**
 * `merged` is there only while it is mounted. One that was made after the last that was written of its container is of
 * a start that a crash kept from being written.
 */
function* mountPoints(known: Known, theirs: readonly string[]): Generator<Finding> {
  const { state, uses } = known;
  for (const [id, { nodes }] of state.directories) {
    const path = `${state.home}/${id}/merged`;
    const merged = nodes.get("merged");
    if (!merged || theirs.some((part) => path.includes(part))) continue;
    if (state.mounted.some((mount) => mount.path === path)) continue;
    const [use] = uses.get(id) ?? [];
    const written = use?.kind === "writable" && state.containers.get(use.name)?.nodes.get("config.v2.json")?.mtimeMs;
    if (written && merged.mtimeMs >= written) continue;
    const what = "the mount point of a layer that is not mounted";
    const means = "nothing: the next mount uses it";
    const remedy: Step[] = [{ kind: "remove-directory", path }];
    yield finding({ kind: "merged-left", severity: "leftover", path, what, means, remedy });
  }
}
