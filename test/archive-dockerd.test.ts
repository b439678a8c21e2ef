import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { assemble, LayerParser, TarSplitWriter, tarOfSync, untar } from "../src/archive/index.js";
import type { ChangeHead, SyncChange } from "../src/overlayfs/index.js";
import { encodeName, sha256 } from "../src/spec/index.js";
import { Dockerd } from "./oracle/dockerd.js";
import { lacking } from "./oracle/programs.js";
import { output } from "./oracle/run.js";
import { collected, sampleArchive } from "./oracle/sample-image.js";
import { loopDisk, type Scratch } from "./oracle/scratch.js";

const skip = lacking(
  "root",
  "mounts",
  "loop",
  "dockerd",
  "docker",
  "containerd",
  "runc",
  "mkfs.ext4",
  "tar",
  "setfattr",
);

/** All that changes a layer's header: long, odd and non-ASCII names, links, devices, large ids, old times, bits. */
const makeTree = `
set -e; umask 022
mkdir -p d/sub "deep/${"d".repeat(90)}/${"e".repeat(90)}/${"f".repeat(60)}" "${"l".repeat(101)}"
for size in 0 1 511 512 513 70000; do head -c $size /dev/zero | tr '\\0' x > d/$size; done
echo deep > "deep/${"d".repeat(90)}/${"e".repeat(90)}/${"f".repeat(60)}/file"
echo long > "${"l".repeat(101)}/${"n".repeat(120)}"
echo name > "späce & ünïcode"; echo name > "$(printf 'caf\\351')"; echo name > "$(printf 'new\\nline')"; echo name > 'q"\\<>'
ln d/513 hard; ln "${"l".repeat(101)}/${"n".repeat(120)}" d/hardlong
ln -s ../nowhere d/soft; ln -s "/${"t".repeat(150)}" longsoft; ln -s ü unisoft
mkfifo fifo; mknod null c 1 3; mknod loop b 7 300
chmod 4711 d/1; chmod 3750 d/sub; chown 3000000000:2097152 d/511; chown 7:8 d/sub; chown -h 9:10 d/soft
touch -d '1960-01-01 UTC' d/0; touch -d '2250-01-01 UTC' d/512; touch -d '2020-01-01 00:00:00.75 UTC' d/513
setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 d/1
`;

const archives = {
  "GNU tar, posix": ["tar", "-c", "--format=posix", "--xattrs", "--xattrs-include=*"],
  "GNU tar, gnu": ["tar", "-c", "--format=gnu"],
  "GNU tar, with a global header": ["tar", "-c", "--format=posix", "--pax-option=comment=global"],
  "GNU tar, with large records": ["tar", "-c", "--format=gnu", "-b", "200"],
} as const;

interface Layer {
  readonly changes: SyncChange[];
  readonly split: Buffer;
}

/** The changes of a layer with their contents, and our tar-split of it. */
function layerOf(tar: Uint8Array): Layer {
  const changes: SyncChange[] = [];
  const lines: Uint8Array[] = [];
  let body: Uint8Array[] = [];
  const change = (head: ChangeHead) => {
    body = [];
    changes.push(head.kind === "file" ? { ...head, body } : head);
  };
  const split = new TarSplitWriter((chunk) => lines.push(chunk));
  const parser = new LayerParser({ change, data: (chunk) => body.push(chunk) }, { split });
  parser.write(tar);
  parser.end();
  split.end();
  return { changes, split: Buffer.concat(lines) };
}

/** The archive with what only versions before 25 write taken out: owner names, and link names of whiteouts. */
function withoutNames(tar: Uint8Array): Buffer {
  const bytes = Buffer.from(tar);
  for (let at = 0; bytes[at] !== 0 && at < bytes.length; ) {
    const block = bytes.subarray(at, at + 512);
    const size = Number.parseInt(block.toString("latin1", 124, 135), 8);
    block.fill(0, 265, 329);
    if (block[156] === 0x30) block.fill(0, 157, 257);
    block.fill(0x20, 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return bytes;
}

async function memberOf(archive: string, isWanted: (name: string) => boolean): Promise<Buffer> {
  for await (const { name, body } of untar(createReadStream(archive))) {
    if (isWanted(name)) return Buffer.concat(await collected(body));
  }
  throw new Error(`${archive} has no such member`);
}

/** The bytes of the top layer of an image that dockerd saves. */
async function topLayer(dockerd: Dockerd, disk: Scratch, image: string): Promise<Buffer> {
  const file = join(disk.path, "saved.tar");
  await dockerd.docker("save", "-o", file, image);
  const manifest = JSON.parse(String(await memberOf(file, (name) => name === "manifest.json")));
  return await memberOf(file, (name) => name === manifest[0].Layers.at(-1));
}

async function treeArchive(disk: Scratch, [program, ...args]: readonly string[]): Promise<Buffer> {
  const tree = join(disk.path, "tree");
  await mkdir(tree, { recursive: true });
  if ((await readdir(tree)).length === 0) await output("sh", ["-c", makeTree], { cwd: tree });
  const file = join(disk.path, "made.tar");
  await output(program!, [...args, "-f", file, "."], { cwd: tree });
  return await readFile(file);
}

/** Directory of the layer with this content in a data root's layerdb, and the directory with its files. */
async function layerDirectories(root: string, diffID: string): Promise<{ db: string; files: string }> {
  const all = join(root, "image/overlay2/layerdb/sha256");
  for (const name of await readdir(all)) {
    if ((await readFile(join(all, name, "diff"), "utf8")) !== diffID) continue;
    const cacheID = await readFile(join(all, name, "cache-id"), "utf8");
    return { db: join(all, name), files: join(root, "overlay2", cacheID, "diff") };
  }
  throw new Error(`no layer ${diffID}`);
}

describe.skipIf(skip)("archives, both ways with dockerd", () => {
  test("what dockerd exports and commits is what we write", { timeout: 120_000 }, async () => {
    await using disk = await loopDisk("ext4", "2G");
    await using dockerd = await Dockerd.start(join(disk.path, "data"));
    const { docker } = { docker: (...args: string[]) => dockerd.docker(...args) };

    await writeFile(join(disk.path, "tree.tar"), await treeArchive(disk, archives["GNU tar, posix"]));
    await docker("import", join(disk.path, "tree.tar"), "tree");
    await docker("create", "--name", "tree", "tree", "/none");
    const exported = join(disk.path, "exported.tar");
    await docker("export", "-o", exported, "tree");
    const theirs = await readFile(exported);
    for (const record of [" path=", " linkpath=", " uid=", " mtime=", " SCHILY.xattr.security.capability="]) {
      expect(theirs.includes(record), record).toBe(true);
    }
    expect(Buffer.concat([...tarOfSync(layerOf(theirs).changes)]).equals(withoutNames(theirs))).toBe(true);

    await writeFile(join(disk.path, "sample.tar"), await sampleArchive("sample:x"));
    await docker("load", "-i", join(disk.path, "sample.tar"));
    const work =
      "rm /etc/issue; rm -r /usr/share/greetings; mkdir /usr/share/greetings; echo x >/usr/share/greetings/new;" +
      `mkdir -p /made/${"m".repeat(99)}/sub; echo y >/made/${"m".repeat(99)}/${"n".repeat(99)}; rm /etc/app.conf`;
    await docker("run", "--name", "worked", "--network", "none", "sample:x", "sh", "-c", work);
    await docker("commit", "worked", "worked");
    const layer = await topLayer(dockerd, disk, "worked");
    const { changes } = layerOf(layer);
    expect(changes.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(["whiteout", "opaque", "file", "directory"]),
    );
    expect(Buffer.concat([...tarOfSync(changes)]).equals(withoutNames(layer))).toBe(true);
  });

  test("dockerd saves by our tar-split what it imported, and we rebuild by its own", { timeout: 120_000 }, async () => {
    await using disk = await loopDisk("ext4", "2G");
    const root = join(disk.path, "data");
    const tars: Buffer[] = [];
    {
      await using dockerd = await Dockerd.start(root);
      for (const [i, command] of Object.values(archives).entries()) {
        const tar = await treeArchive(disk, command);
        const odd = Buffer.concat([tar, Buffer.from(`behind the end ${i}`.repeat(100))]);
        await writeFile(join(disk.path, "odd.tar"), odd);
        await dockerd.docker("import", join(disk.path, "odd.tar"), `odd:${i}`);
        tars.push(odd);
      }
    }
    for (const tar of tars) {
      const { db, files } = await layerDirectories(root, sha256(tar));
      const split = createReadStream(join(db, "tar-split.json.gz"));
      const open = (path: string) => createReadStream(Buffer.concat([Buffer.from(`${files}/`), encodeName(path)]));
      const rebuilt = Buffer.concat(await collected(assemble(split, open)));
      expect(rebuilt.equals(tar)).toBe(true);
      await writeFile(join(db, "tar-split.json.gz"), gzipSync(layerOf(tar).split, { level: 1 }));
    }
    await using dockerd = await Dockerd.start(root);
    for (const [i, tar] of tars.entries()) {
      expect((await topLayer(dockerd, disk, `odd:${i}`)).equals(tar)).toBe(true);
    }
  });
});
