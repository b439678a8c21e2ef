/**
 * Lists what is in a data root, without writing to it: a daemon may be serving it meanwhile.
 *
 *     node dist/examples/look-at-a-root.js /var/lib/docker
 */
import { open, ownerOf } from "layerkit";

const [path = "/var/lib/docker"] = process.argv.slice(2);
await using root = await open({ root: path, readOnly: true });
const owner = await ownerOf(root.root);
console.log(owner ? `served by process ${owner.pid}` : "not served by layerkit");
for (const { RepoTags, Id, Size } of await root.images.list()) {
  console.log(`image ${RepoTags[0] ?? Id}: ${Size} bytes in ${root.layers.ofImage(Id).length} layers`);
}
for (const { Names, Image, Status } of await root.containers.list({ all: true })) {
  console.log(`container ${Names[0]} of ${Image}: ${Status}`);
}
