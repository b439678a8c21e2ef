/**
 * Makes an image of a plain tar, changes a file in a container of it, commits that, and writes the result as an
 * archive which `docker load` takes.
 *
 *     node dist/examples/change-and-commit.js ROOTFS.tar OUT.tar
 */
import { createReadStream, createWriteStream } from "node:fs";
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { open } from "layerkit";

const [rootfs = "rootfs.tar", out = "out.tar"] = process.argv.slice(2);
const directory = await mkdtemp(join(tmpdir(), "layerkit-example-"));
try {
  await using root = await open({ root: directory });
  for await (const _ of root.images.import(createReadStream(rootfs), { repo: "base", tag: "1" }));

  const { Id } = await root.containers.create({ Image: "base:1", Cmd: ["/bin/sh"] }, { name: "work" });
  {
    await using mounted = await root.containers.mount(Id);
    await appendFile(join(mounted.path, "notes.txt"), "written without a daemon\n");
  }
  for (const { Path, Kind } of await root.containers.changes(Id)) console.log("CAD"[Kind], Path);

  const options = { repo: "base", tag: "2", comment: "with notes", changes: ["LABEL made-by=example"] };
  const committed = await root.containers.commit(Id, options);
  console.log("committed", committed.Id);
  await pipeline(await root.images.save(["base:2"]), createWriteStream(out));
} finally {
  await rm(directory, { recursive: true });
}
