import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { cacheDirectory } from "../test/oracle/programs.js";
import { rawTar } from "../test/oracle/raw-tar.js";
import { output } from "../test/oracle/run.js";

/** Files of one image. */
export interface Image {
  /** A docker archive. */
  readonly archive: string;
  /** Its layers, plain tars, bottom first. */
  readonly layers: readonly string[];
  /** The same by gzip. */
  readonly blobs: readonly string[];
}

/** The reference image, laid out in `directory`. */
export async function layOut(directory: string): Promise<Image> {
  const archive = join(directory, "reference.tar");
  await copyFile(await referenceImage(), archive);
  const [plain, layout] = [join(directory, "plain"), join(directory, "packed")];
  await mkdir(plain);
  await output("cp", ["-r", await packedImage(), layout]);
  const manifest = await output("skopeo", ["inspect", "--raw", `oci:${layout}:latest`]);
  const { layers } = JSON.parse(manifest) as { layers: { digest: string }[] };
  const blobs = layers.map(({ digest }) => join(layout, "blobs", digest.replace(":", "/")));
  return { archive, blobs, ...(await unpacked(archive, plain)) };
}

/** The reference image as an OCI layout, its layers by gzip: made once, then kept. */
export async function packedImage(): Promise<string> {
  return kept("reference-oci", async (layout) => packed(await referenceImage(), layout));
}

/** One with three times its layers, each of them slightly different each time. Made once, then kept. */
export async function packedThrice(): Promise<string> {
  return kept("thrice-oci", async (layout) => {
    const work = `${layout}-work`;
    await mkdir(work);
    const { layers } = await unpacked(await referenceImage(), work);
    const all = [...layers];
    for (const time of [2, 3]) {
      for (const [i, layer] of layers.entries()) {
        const other = join(work, `${time}-${i}.tar`);
        await writeFile(other, rawTar([{ name: `time-${time}-${i}`, content: "" }], 0));
        await pipeline(createReadStream(layer), createWriteStream(other, { flags: "a" }));
        all.push(other);
      }
    }
    await packed(await docker(work, all), layout);
    await rm(work, { recursive: true });
  });
}

/** What `make` makes at a path, or has made there in a run before. */
async function kept(name: string, make: (path: string) => Promise<void>): Promise<string> {
  const path = join(cacheDirectory, name);
  if (await stat(path).catch(() => undefined)) return path;
  console.log(`making ${name} (once)`);
  await output("rm", ["-rf", `${path}.part`, `${path}.part-work`]);
  await make(`${path}.part`);
  await rename(`${path}.part`, path);
  return path;
}

async function packed(archive: string, layout: string): Promise<void> {
  const to = `oci:${layout}:latest`;
  await output("skopeo", ["copy", "-q", "--dest-compress-format", "gzip", `docker-archive:${archive}`, to]);
}

/** @returns the plain tars of its layers, bottom first */
async function unpacked(archive: string, directory: string): Promise<{ layers: string[] }> {
  await output("tar", ["-xf", archive, "-C", directory]);
  const [item] = JSON.parse(await readFile(join(directory, "manifest.json"), "utf8")) as { Layers: string[] }[];
  return { layers: (item?.Layers ?? []).map((name) => join(directory, name)) };
}

/**
 * An image as people have them, 640 MB in six layers: a Debian, a compiler, 50,000 small files, a few big ones,
 * changes over all of them, and a layer of whiteouts. Built once (a minute, needs mmdebstrap and the network), then
 * kept.
 *
 * @returns a docker archive's path
 */
async function referenceImage(): Promise<string> {
  return kept("reference.tar", async (archive) => {
    const work = await mkdtemp("/dev/shm/layerkit-reference-");
    try {
      const layers = [await debian(work), await compiler(work), await smallFiles(work), await bigFiles(work)];
      layers.push(await changes(work), await whiteouts(work));
      await output("cp", [await docker(work, layers), archive]);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
}

async function debian(work: string): Promise<string> {
  const tar = join(work, "debian.tar");
  await output("mmdebstrap", ["--quiet", "--variant=minbase", "bookworm", tar]);
  await output("tar", ["--delete", "-f", tar, "./dev"]).catch(() => {}); // devices are not what layers have
  return tar;
}

/** What a Debian with a compiler has more than one without. */
async function compiler(work: string): Promise<string> {
  const all = join(work, "compiler-all.tar");
  await output("mmdebstrap", ["--quiet", "--variant=minbase", "--include=g++,make", "bookworm", all]);
  const had = join(work, "had");
  await writeFile(had, (await output("tar", ["-tf", join(work, "debian.tar")])).split("\n").filter(isFile).join("\n"));
  const directory = join(work, "compiler");
  await mkdir(directory);
  await output("tar", ["-xf", all, "-C", directory, "--exclude=./dev", "--no-wildcards", "--anchored", "-X", had]);
  return tarred(work, "compiler");
}

function isFile(path: string): boolean {
  return !path.endsWith("/");
}

/** As a node_modules directory has them: 2,500 directories of 20 files, 200 bytes to 6 kB. */
async function smallFiles(work: string): Promise<string> {
  for (let i = 0; i < 2500; i++) {
    const directory = join(work, "small/srv/app/modules", `group-${i % 50}`, `module-${i}`);
    await mkdir(directory, { recursive: true });
    const names = Array.from({ length: 20 }, (_, j) => j);
    await Promise.all(names.map((j) => writeFile(join(directory, `file-${j}.js`), text(i * 20 + j))));
  }
  return tarred(work, "small");
}

function text(seed: number): string {
  return `// ${seed}\n`.padEnd(200 + ((seed * 7919) % 5800), `export const value${seed} = ${seed * 31};\n`);
}

async function bigFiles(work: string): Promise<string> {
  const directory = join(work, "big/srv/data");
  await mkdir(directory, { recursive: true });
  for (let i = 0; i < 4; i++) await writeFile(join(directory, `table-${i}.bin`), noise(i, 16 << 20));
  return tarred(work, "big");
}

/** Bytes that no compression makes smaller, the same in every build. */
function noise(seed: number, size: number): Buffer {
  const blocks = Array.from({ length: size / 64 }, (_, i) => createHash("sha512").update(`${seed} ${i}`).digest());
  return Buffer.concat(blocks);
}

async function changes(work: string): Promise<string> {
  for (let i = 0; i < 2000; i++) {
    const directory = join(work, "changes/srv/app/modules", `group-${i % 50}`, `module-${i}`);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "file-0.js"), text(i + 77));
  }
  return tarred(work, "changes");
}

async function whiteouts(work: string): Promise<string> {
  const modules = join(work, "whiteouts/srv/app/modules");
  for (let i = 0; i < 2000; i++) {
    const directory = join(modules, `group-${i % 50}`, `module-${i}`);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, i % 10 === 0 ? ".wh..wh..opq" : ".wh.file-1.js"), "");
  }
  return tarred(work, "whiteouts");
}

async function tarred(work: string, name: string): Promise<string> {
  const tar = join(work, `${name}.tar`);
  await output("tar", [
    "--sort=name",
    "--numeric-owner",
    "--owner=0",
    "--group=0",
    "-C",
    join(work, name),
    "-cf",
    tar,
    ".",
  ]);
  await rm(join(work, name), { recursive: true });
  return tar;
}

async function docker(work: string, tars: readonly string[]): Promise<string> {
  const directory = join(work, "archive");
  await mkdir(directory);
  const digests = await Promise.all(tars.map(digestOf));
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    created: "2024-01-01T00:00:00Z",
    config: { Cmd: ["/bin/true"] },
    rootfs: { type: "layers", diff_ids: digests.map((digest) => `sha256:${digest}`) },
  });
  const names = digests.map((digest) => `${digest}.tar`);
  for (const [i, tar] of tars.entries()) await rename(tar, join(directory, names[i] as string));
  await writeFile(join(directory, "config.json"), config);
  const manifest = [{ Config: "config.json", RepoTags: ["layerkit/reference:latest"], Layers: names }];
  await writeFile(join(directory, "manifest.json"), JSON.stringify(manifest));
  await output("tar", ["-C", directory, "-cf", join(work, "reference.tar"), "."]);
  return join(work, "reference.tar");
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
