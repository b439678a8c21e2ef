import type { Finding } from "../finding.js";
import type { Known } from "../known/known.js";
import { foreignThing } from "./foreign-thing.js";
import { isRemoving } from "./leftovers.js";
import { isTemporary } from "./temporary.js";

/** What lies between Docker's files and is neither dockerd's nor ours. */
export function* foreign({ state }: Known): Generator<Finding> {
  const { layerdb, images } = state;
  for (const [name, { node }] of layerdb.layers) {
    const isEntry = /^[0-9a-f]{64}$/.test(name) || isRemoving(name);
    if (!isEntry || (isRemoving(name) && node.kind !== "directory")) yield found(`${layerdb.path}/sha256/${name}`);
  }
  for (const [name, { node }] of layerdb.mounts)
    if (node.kind !== "directory") yield found(`${layerdb.path}/mounts/${name}`);
  for (const [name, { node }] of images.metadata) {
    if (node.kind !== "directory" && !isTemporary(name)) yield found(`${images.path}/imagedb/metadata/sha256/${name}`);
  }
  for (const name of images.nodes.keys()) {
    if (!ofImages.has(name) && !isTemporary(name)) yield found(`${images.path}/${name}`);
  }
  for (const name of state.top.keys()) if (!isKnown(name)) yield found(`${state.root}/${name}`);
}

function found(path: string): Finding {
  return foreignThing(path, "it is nothing that dockerd or layerkit has there");
}

const ofImages = new Set(["layerdb", "imagedb", "distribution", "repositories.json", "layerkit-kept.json"]);

/** What dockerd up to 29 and layerkit make in a root. */
const known = new Set([
  ...["overlay2", "overlay", "vfs", "aufs", "btrfs", "devicemapper", "fuse-overlayfs", "zfs", "image", "containers"],
  ...["volumes", "network", "buildkit", "builder", "containerd", "runtimes", "swarm", "trust", "plugins", "tmp"],
  ...["engine-id", "key.json", "nuke-graph-directory.sh", "rootfs", "lost+found", "certs.d", "cdi", "migration"],
  ...["layerkit.lock", "layerkit.sock", "layerkit-quarantine"],
]);

/** `UID.GID`: the root of who runs with remapped users. */
function isKnown(name: string): boolean {
  return known.has(name) || /^(\d+\.\d+|tmp-old\d*)$/.test(name) || isTemporary(name);
}
