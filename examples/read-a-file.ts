/**
 * Loads an image archive into a data root of its own and prints one file of it, as a container would see it.
 *
 *     node dist/examples/read-a-file.js IMAGE.tar /etc/passwd
 */
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "layerkit";

const [archive = "image.tar", path = "/etc/passwd"] = process.argv.slice(2);
const directory = await mkdtemp(join(tmpdir(), "layerkit-example-"));
try {
  await using root = await open({ root: directory });
  for await (const { stream } of root.images.load(createReadStream(archive))) process.stderr.write(stream ?? "");

  const [image] = await root.images.list();
  if (!image) throw new Error(`${archive} has no image`);
  const top = root.layers.ofImage(image.Id)[0];
  if (!top) throw new Error("the image has no layer");
  await using mounted = await root.layers.mount(top.chainID);
  process.stdout.write(await readFile(join(mounted.path, path)));
} finally {
  await rm(directory, { recursive: true });
}
