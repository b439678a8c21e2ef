import { readdir } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Blobs, dockerArchive, platform, refName, withManifest } from "../../../test/oracle/image-archives.js";
import { configOf, freshStores, inPieces, layerTar } from "../../../test/oracle/image-stores.js";
import { rawTar } from "../../../test/oracle/raw-tar.js";
import { goJSON, hexOf, LayerkitError, sha256 } from "../../spec/index.js";
import { drivers } from "./load.test.tools.js";
import { loadArchive } from "./load-archive.js";

const bottom = layerTar({ a: "bottom" });
const top = layerTar({ b: "top" });
const both = [bottom, top];
const config = configOf(both);
const fine = { Config: "c", RepoTags: ["bad:1"], Layers: ["0", "1"] };
const files = { c: config, 0: bottom, 1: top };
const evil = Buffer.concat([bottom.subarray(0, 512), Buffer.from("BOTTOM"), bottom.subarray(518)]);
const docker = dockerArchive([{ layers: both, tags: ["bad:1"] }]);

/** An OCI layout that something is done to. */
function oci(change: (blobs: Blobs) => unknown): Buffer {
  const blobs = new Blobs();
  return blobs.layout([change(blobs)]);
}

/** The same file under another content. */
function replaced(archive: Blobs, digest: string, content: Buffer): void {
  const at = archive.entries.findIndex(({ name }) => name === `blobs/sha256/${digest.slice(7)}`);
  archive.entries[at] = { ...archive.entries[at]!, content };
}

const bad: Readonly<Record<string, readonly [archive: Buffer, why: RegExp]>> = {
  "nothing at all": [Buffer.alloc(0), /no manifest.json, no index.json and no repositories/],
  "an empty tar": [rawTar([]), /no manifest.json, no index.json and no repositories/],
  "a root file system": [layerTar({ "etc/passwd": "root" }), /a root file system is taken in by import/],
  "no tar": [Buffer.from("hello, world ".repeat(200)), /tar/],
  "compressed junk": [gzipSync(Buffer.from("junk".repeat(1000))), /tar/],
  "a cut-off archive": [docker.subarray(0, docker.length - 2100), /archive|tar|end/i],
  "a cut-off compression": [gzipSync(docker).subarray(0, -200), /gzip/],
  "a corrupt compression": [corrupted(gzipSync(docker)), /gzip/],
  "a wrong checksum": [rawTar([{ name: "manifest.json", content: "[]", checksumError: 1 }]), /checksum/],
  "a size that lies": [rawTar([{ name: "manifest.json", content: "[]", size: 5000 }]), /archive|tar|end/i],
  "manifest.json as a directory": [rawTar([{ name: "manifest.json/", type: "5" }]), /not an image archive/],
  "manifest.json as a link to outside": [
    rawTar([{ name: "manifest.json", type: "2", linkname: "../../../../etc/passwd" }]),
    /not an image archive/,
  ],
  "manifest.json as a link to itself": [
    rawTar([{ name: "manifest.json", type: "2", linkname: "manifest.json" }]),
    /not an image archive/,
  ],
  "a manifest cut off": [withManifest("[{", {}), /manifest "manifest.json": /],
  "a manifest that is no list": [withManifest({}, {}), /manifest.json is not a list of images/],
  "a manifest of text": [withManifest(["x"], {}), /image 0 of manifest.json names no config/],
  "layers that are no names": [withManifest([{ ...fine, Layers: [1] }], files), /layers that are no file names/],
  "tags that are no text": [withManifest([{ ...fine, RepoTags: [{}] }], files), /tags that are no text/],
  "a config that is missing": [withManifest([{ ...fine, Config: "x" }], files), /config "x" is not in the archive/],
  "a config outside": [
    withManifest([{ ...fine, Config: "../../../../etc/passwd" }], files),
    /config "..\/..\/..\/..\/etc\/passwd" is not in the archive/,
  ],
  "a config that is no JSON": [withManifest([fine], { ...files, c: "{" }), /invalid image config sha256:/],
  "a config without rootfs": [withManifest([fine], { ...files, c: "{}" }), /no RootFS key/],
  "a config with bad diff ids": [
    withManifest([fine], { ...files, c: goJSON({ rootfs: { diff_ids: ["sha256:12"] } }) }),
    /invalid digest "sha256:12"/,
  ],
  "a config that is not its name": [
    withManifest([{ ...fine, Config: `blobs/sha256/${"1".repeat(64)}` }], {
      ...files,
      [`blobs/sha256/${"1".repeat(64)}`]: config,
    }),
    /config "blobs\/sha256\/1+" has digest/,
  ],
  "more history than layers": [
    withManifest([fine], { ...files, c: configOf(both, { history: [{}, {}, {}] }) }),
    /too many non-empty layers in History section/,
  ],
  "a Windows image": [
    withManifest([fine], { ...files, c: configOf(both, { os: "windows" }) }),
    /cannot load windows image on linux/,
  ],
  "an image of an unknown system": [
    withManifest([fine], { ...files, c: configOf(both, { os: "plan9" }) }),
    /cannot load plan9 image on linux/,
  ],
  "a layer too few": [
    withManifest([{ ...fine, Layers: ["0"] }], files),
    /invalid manifest, layers length mismatch: expected 1, got 2/,
  ],
  "more layers than can be mounted": [
    withManifest([{ ...fine, Layers: Array.from({ length: 126 }, () => "0") }], {
      c: configOf(Array.from({ length: 126 }, () => bottom)),
      0: bottom,
    }),
    /max depth exceeded: a chain has at most 125 layers, image sha256:[0-9a-f]{64} has 126/,
  ],
  "a layer that is missing": [
    withManifest([{ ...fine, Layers: ["0", "gone"] }], files),
    /layer 2 of 2 "gone" is not in the archive/,
  ],
  "another layer": [
    withManifest([fine], { ...files, 1: layerTar({ b: "other" }) }),
    new RegExp(`invalid diffID for layer 1: expected "${sha256(top)}", got "sha256:[0-9a-f]{64}"`),
  ],
  "layers in the wrong order": [withManifest([{ ...fine, Layers: ["1", "0"] }], files), /invalid diffID for layer 0/],
  "a layer changed by one byte": [withManifest([fine], { ...files, 0: evil }), /invalid diffID for layer 0/],
  "a layer that is no tar": [
    withManifest([fine], { c: configOf([Buffer.alloc(5000, "x"), top]), 0: Buffer.alloc(5000, "x"), 1: top }),
    /^layer 1 of 2 \("0"\): /,
  ],
  "a layer cut off": [withManifest([fine], { ...files, 1: top.subarray(0, 514) }), /^layer 2 of 2 \("1"\): /],
  "a layer with a link that leaves it": [
    withManifest([{ ...fine, Layers: ["0"] }], {
      c: configOf([rawTar([{ name: "x", type: "1", linkname: "/etc/passwd" }])]),
      0: rawTar([{ name: "x", type: "1", linkname: "/etc/passwd" }]),
    }),
    /^layer 1 of 1 \("0"\): /,
  ],
  "a name without tag": [withManifest([{ ...fine, RepoTags: ["ld"] }], files), /invalid tag "ld"/],
  "a name by digest": [withManifest([{ ...fine, RepoTags: [`ld@${sha256("")}`] }], files), /invalid tag "ld@sha256:/],
  "a name in capitals": [withManifest([{ ...fine, RepoTags: ["LD:1"] }], files), /invalid reference format/],
  "the name sha256": [withManifest([{ ...fine, RepoTags: ["ok:1", "sha256:1"] }], files), /ambiguous tag/],
  "a parent that is none": [
    dockerArchive([
      { layers: [bottom], config: configOf([bottom], { history: [{ comment: "x" }] }) },
      {
        layers: both,
        config: configOf(both, { history: [{ comment: "y" }, {}] }),
        parent: sha256(configOf([bottom], { history: [{ comment: "x" }] })),
      },
    ]),
    /is not a valid parent for/,
  ],
  "an image that is its own parent": [dockerArchive([{ layers: both, parent: sha256(config) }]), /not a valid parent/],
  "images that are each other's parents": [
    dockerArchive([
      { layers: both, config: configOf(both, { comment: "1" }), parent: sha256(configOf(both, { comment: "2" })) },
      { layers: both, config: configOf(both, { comment: "2" }), parent: sha256(configOf(both, { comment: "1" })) },
    ]),
    /not a valid parent/,
  ],
  "too many names": [
    withManifest([{ ...fine, RepoTags: Array.from({ length: 10_001 }, (_, n) => `a:${n}`) }], files),
    /more than 10000 names/,
  ],
  "too many images": [
    withManifest(
      Array.from({ length: 10_001 }, () => fine),
      files,
    ),
    /more than 10000 images/,
  ],
  "too much to read": [
    withManifest(
      Array.from({ length: 9 }, () => fine),
      { ...files, c: Buffer.concat([Buffer.alloc(8 << 20, " "), config]) },
    ),
    /config "c" is too large/,
  ],
  "a document too large": [withManifest([fine], { ...files, c: Buffer.alloc((16 << 20) + 1, " ") }), /is too large/],
  "a good image before a bad one": [
    withManifest([fine, { ...fine, Config: "x" }], files),
    /config "x" is not in the archive/,
  ],
  "a layout of another version": [new Blobs().layout([], "2.0.0"), /OCI layout version "2.0.0", want 1.x/],
  "a layout without images": [new Blobs().layout([]), /index.json names no image/],
  "a layout whose index is no list": [new Blobs().layout({}), /index.json has no list of manifests/],
  "a layout of things that are no images": [
    oci((blobs) => blobs.add("{}", "application/vnd.example+json")),
    /index.json names no image/,
  ],
  "a descriptor of text": [oci(() => "x"), /manifests\[0\] of index.json is not a descriptor/],
  "a descriptor with another hash": [
    oci((blobs) => ({ ...blobs.manifest({ layers: both }), digest: `sha512:${"1".repeat(128)}` })),
    /invalid digest "sha512:/,
  ],
  "a descriptor with a path for a digest": [
    oci((blobs) => ({ ...blobs.manifest({ layers: both }), digest: "sha256:../../../../etc/passwd" })),
    /invalid digest/,
  ],
  "a descriptor with half a size": [
    oci((blobs) => ({ ...blobs.manifest({ layers: both }), size: 0.5 })),
    /has no size/,
  ],
  "a manifest that is missing": [
    oci((blobs) => ({ ...blobs.manifest({ layers: both }), digest: sha256("gone") })),
    /manifest "blobs\/sha256\/[0-9a-f]{64}" is not in the archive/,
  ],
  "a manifest of another size": [
    oci((blobs) => ({ ...blobs.manifest({ layers: both }), size: 7 })),
    /manifest sha256:[0-9a-f]{64} has \d+ bytes, its descriptor says 7/,
  ],
  "a manifest with changed bytes": [
    oci((blobs) => {
      const manifest = blobs.manifest({ layers: both });
      replaced(blobs, manifest.digest, Buffer.alloc(manifest.size, " "));
      return manifest;
    }),
    /manifest sha256:[0-9a-f]{64}: expected sha256:/,
  ],
  "a manifest without config": [
    oci((blobs) => blobs.add("{}", "application/vnd.oci.image.manifest.v1+json")),
    /config of manifest sha256:[0-9a-f]{64} is not a descriptor/,
  ],
  "a config with changed bytes": [
    oci((blobs) => {
      const manifest = blobs.manifest({ layers: both });
      replaced(blobs, sha256(config), Buffer.alloc(config.length, " "));
      return manifest;
    }),
    /config sha256:[0-9a-f]{64}: expected sha256:/,
  ],
  "a layer blob with changed bytes": [
    oci((blobs) => {
      const manifest = blobs.manifest({ layers: both });
      replaced(blobs, sha256(bottom), evil);
      return manifest;
    }),
    /sha256:[0-9a-f]{64}/,
  ],
  "a packed layer with changed bytes that unpacks to the right one": [
    oci((blobs) => {
      const packed = [gzipSync(bottom), gzipSync(top)];
      const manifest = blobs.manifest({ layers: both }, packed);
      const otherTime = Buffer.from(packed[0]!);
      otherTime.writeUInt32LE(1, 4);
      replaced(blobs, sha256(packed[0]!), otherTime);
      return manifest;
    }),
    /layer 1 of 2 .*expected sha256:[0-9a-f]{64}, read sha256:/,
  ],
  "a layer blob of another size": [
    oci((blobs) => {
      const manifest = blobs.manifest({ layers: both });
      replaced(blobs, sha256(top), Buffer.concat([top, Buffer.alloc(512)]));
      return manifest;
    }),
    /layer 2 of 2 sha256:[0-9a-f]{64} has \d+ bytes, its descriptor says \d+/,
  ],
  "a layer blob that is missing": [
    oci((blobs) => {
      const manifest = blobs.manifest({ layers: both });
      blobs.entries.splice(
        blobs.entries.findIndex(({ name }) => name === `blobs/sha256/${hexOf(sha256(top))}`),
        1,
      );
      return manifest;
    }),
    /layer 2 of 2 "blobs\/sha256\/[0-9a-f]{64}" is not in the archive/,
  ],
  "layers that are no tars": [
    oci((blobs) => {
      const manifest = {
        config: blobs.add(configOf([bottom]), "application/vnd.oci.image.config.v1+json"),
        layers: [blobs.add(bottom, "text/plain")],
      };
      return blobs.add(goJSON(manifest), "application/vnd.oci.image.manifest.v1+json");
    }),
    /has media type "text\/plain", which is no layer tar/,
  ],
  "indexes without end": [
    oci((blobs) => {
      let inner = blobs.manifest({ layers: both });
      for (let n = 0; n < 12; n++) inner = blobs.index([inner], refName("deep:1"));
      return inner;
    }),
    /indexes within indexes/,
  ],
  "an index of strangers": [
    oci((blobs) => blobs.index([blobs.manifest({ layers: both }, undefined, platform("s390x"))])),
    /no image for linux\/\w+ in index sha256:[0-9a-f]{64}: it has linux\/s390x/,
  ],
};

function corrupted(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.fill(0xff, copy.length >> 1, (copy.length >> 1) + 40);
  return copy;
}

describe.for(drivers)("on %s", (driver) => {
  // One data root for all: each has to leave it as empty as it found it, and still working.
  let stores: Awaited<ReturnType<typeof freshStores>>;
  beforeAll(async () => {
    stores = await freshStores(driver);
  });
  afterAll(() => stores[Symbol.asyncDispose]());

  test.for(Object.entries(bad))("%s is refused in one line, and leaves nothing", async ([, [archive, why]]) => {
    const loading = (async () => {
      for await (const event of loadArchive(inPieces(archive, 65_536), stores)) expect(event.kind).not.toBe("loaded");
    })();
    const error = await loading.then(() => undefined).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LayerkitError);
    const { message } = error as Error;
    expect(message).toMatch(why);
    expect(message).not.toMatch(/\n/);
    expect(message.length).toBeLessThan(600);
    expect(stores.images.list()).toEqual([]);
    expect(stores.references.all()).toEqual([]);
    expect(await stores.left()).toEqual([]);
    expect(await readdir(stores.tmp)).toEqual([]);
  });

  test("what was there before a bad archive is there after it", async () => {
    for await (const _ of loadArchive(inPieces(docker, 65_536), stores));
    const before = await stores.disk();
    for (const name of ["another layer", "a good image before a bad one", "the name sha256"]) {
      const loading = (async () => {
        for await (const _ of loadArchive(inPieces(bad[name]![0], 65_536), stores));
      })();
      // Its layers are there, so that another one's content is not even looked at.
      await loading.catch(() => undefined);
      expect(await stores.disk(), name).toEqual(before);
    }
  });
});
