import type { FilesystemChange } from "../api-container.js";
import type { Containers } from "../containers.js";
import { commitContainer } from "./commit.js";
import type { ContainerParts } from "./container-parts.js";
import { createContainer } from "./create.js";
import { archiveOfContainer, exportContainer, extractIntoContainer, statInContainer } from "./files.js";
import { inspectContainer } from "./inspect.js";
import { listContainers } from "./list.js";
import { pruneContainers, removeContainer } from "./remove.js";
import { renameContainer } from "./rename.js";

const kinds = { modified: 0, added: 1, deleted: 2 } as const;

/** Operations on the containers of one data root. */
export function containerOperations(parts: ContainerParts): Containers {
  const { store, layers, turns } = parts;
  return {
    create: (body, options) => createContainer(parts, body, options),
    list: (options) => listContainers(parts, options),
    inspect: async (name, options) => inspectContainer(parts, store.find(name), options),
    rename: (name, to) => renameContainer(parts, name, to),
    remove: (name, options) => removeContainer(parts, name, options),
    prune: ({ filters } = {}) => pruneContainers(parts, filters),
    changes: async (name) => {
      const { ID: id } = store.find(name).stored;
      return turns.shared(id, async () => {
        const changes: FilesystemChange[] = [];
        for await (const { path, kind } of layers.rw.changes(id)) changes.push({ Path: path, Kind: kinds[kind] });
        return changes;
      });
    },
    export: (name, options) => exportContainer(parts, name, options),
    commit: (name, options) => commitContainer(parts, name, options),
    stat: (name, path) => statInContainer(parts, name, path),
    archive: (name, path, options) => archiveOfContainer(parts, name, path, options),
    extract: (name, path, tar, options) => extractIntoContainer(parts, name, path, tar, options),
    mount: async (name) => layers.rw.mount(store.find(name).stored.ID),
  };
}
