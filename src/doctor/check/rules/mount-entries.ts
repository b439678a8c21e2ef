import { shortID } from "../../../spec/index.js";
import { textOf } from "../../root/fact.js";
import type { MountEntry } from "../../root/root-state.js";
import type { Finding, Step } from "../finding.js";
import { isContainers, type Known, type KnownWritable } from "../known/known.js";
import { newDirectory } from "../new-directory.js";
import { finding } from "../rule.js";
import { asideWithName } from "../set-aside.js";

/** Each container has a writable layer in `layerdb/mounts`, and what is there under a container's ID is a container's. */
export function* mountEntries(known: Known): Generator<Finding> {
  for (const writable of known.writables.values()) {
    const { name, entry, initID } = writable;
    if (!entry) yield missing(known, writable);
    else if (isContainers(writable) && initID && !known.state.containers.has(name)) yield orphan(known, writable);
    else if (writable.isLost) yield lost(known, writable);
    else yield* facts(known, writable, entry);
  }
}

const notLoaded = "dockerd does not load the container: it is in no list";

function steps(known: Known, { name, mountID, initID, parent }: KnownWritable): Step[] {
  const path = `${known.state.layerdb.path}/mounts/${name}`;
  const write = (file: string, text: string | undefined): Step[] =>
    text === undefined ? [] : [{ kind: "write-file", path: `${path}/${file}`, text, mode: 0o644 }];
  const own: Step = { kind: "make-directory", path, mode: 0o755 };
  return [own, ...write("mount-id", mountID), ...write("init-id", initID), ...write("parent", parent)];
}

function anew(known: Known, writable: KnownWritable): Step[] {
  const { initID, mountID } = writable;
  return [...(initID ? newDirectory(known, initID) : []), ...newDirectory(known, mountID), ...steps(known, writable)];
}

function missing(known: Known, writable: KnownWritable): Finding {
  const path = `${known.state.layerdb.path}/mounts/${writable.name}`;
  const { isLost } = writable;
  const what = "the container has no writable layer in the layerdb";
  const means = isLost ? `${notLoaded}; what it had written is lost` : `${notLoaded}; what it has written is there`;
  const remedy = isLost ? anew(known, writable) : steps(known, writable);
  return finding(
    { kind: "mount-missing", severity: "damage", path, what, means, remedy },
    { containers: [writable.name] },
  );
}

function lost(known: Known, writable: KnownWritable): Finding {
  const path = `${known.state.layerdb.path}/mounts/${writable.name}/mount-id`;
  const what = "nothing tells which directory is the container's";
  const means = `${notLoaded}; what it had written is lost`;
  return finding(
    { kind: "mount-id-damaged", severity: "damage", path, what, means, remedy: anew(known, writable) },
    { containers: [writable.name] },
  );
}

function orphan(known: Known, { name, mountID, initID }: KnownWritable): Finding {
  const path = `${known.state.layerdb.path}/mounts/${name}`;
  const directories = [mountID, ...(initID ? [initID] : [])].filter((id) => known.state.directories.has(id));
  const remedy: Step[] = [...directories.flatMap((id) => asideWithName(known, id)), { kind: "set-aside", path }];
  const what = `there is no container ${shortID(`sha256:${name}`)} whose writable layer this would be`;
  return finding({
    kind: "mount-orphan",
    severity: "leftover",
    path,
    what,
    means: "it takes room, and keeps its image's layers from being removed",
    remedy,
  });
}

function* facts(known: Known, writable: KnownWritable, entry: MountEntry): Generator<Finding> {
  const path = `${known.state.layerdb.path}/mounts/${writable.name}`;
  const containers = isContainers(writable) ? [writable.name] : [];
  const check = (
    file: keyof MountEntry["facts"],
    kind: string,
    said: string | undefined,
    right: string | undefined,
    means: string,
  ) => {
    if (said === right && (right !== undefined || !entry.facts[file])) return [];
    const text = textOf(entry.facts[file]);
    const what = !entry.facts[file]
      ? "it is missing"
      : text?.trim()
        ? `it says ${JSON.stringify(text.slice(0, 80))}`
        : "it is empty or cannot be read";
    const at = `${path}/${file}`;
    const remedy: Step[] =
      right === undefined
        ? [{ kind: "set-aside", path: at }]
        : [{ kind: "write-file", path: at, text: right, mode: 0o644 }];
    return [finding({ kind, severity: "damage", path: at, what, means, remedy }, { containers })];
  };
  yield* check("mount-id", "mount-id-damaged", entry.mountID, writable.mountID, notLoaded);
  yield* check(
    "init-id",
    "init-id-damaged",
    entry.initID,
    writable.initID,
    "dockerd does not load the container, or shows files of its own making as the container's changes",
  );
  yield* check(
    "parent",
    "mount-parent-damaged",
    entry.parent,
    writable.parent,
    "the container is not loaded, or its image's layers can be removed from under it",
  );
}
