import { execFileSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Blobs, platform, refName, type Sample } from "../../../test/oracle/image-archives.js";
import { freshStores } from "../../../test/oracle/image-stores.js";
import { find, lacking } from "../../../test/oracle/programs.js";
import { bottom, drivers, expectWhole, idOf, load, loaded, middle, sample, top } from "./load.test.tools.js";
import { thisPlatform } from "./platform.js";

describe.for(drivers)("OCI layouts, on %s", (driver) => {
  const arch = thisPlatform.architecture;
  const foreign = arch === "arm64" ? "amd64" : "arm64";

  test("with plain and gzip layers, named by containerd and by the standard", async () => {
    await using stores = await freshStores(driver);
    const blobs = new Blobs();
    const packed = [bottom, gzipSync(middle), top];
    const both = {
      annotations: { "io.containerd.image.name": "docker.io/library/app:1", "org.opencontainers.image.ref.name": "1" },
    };
    const named = refName("localhost:5000/app:2");
    const archive = blobs.layout([blobs.manifest(sample, packed, both), blobs.manifest(sample, packed, named)]);
    expect(loaded(await load(stores, archive))).toEqual(["app:1,localhost:5000/app:2"]);
    await expectWhole(stores, sample);
  });

  test.skipIf(lacking("zstd"))("with zstd layers", async () => {
    await using stores = await freshStores(driver);
    const blobs = new Blobs();
    const packed = sample.layers.map((layer) => execFileSync(find("zstd") ?? "", ["-c"], { input: layer }));
    await load(stores, blobs.layout([blobs.manifest(sample, packed)]));
    await expectWhole(stores, { layers: sample.layers });
  });

  test("a tag alone names no repository", async () => {
    await using stores = await freshStores(driver);
    const blobs = new Blobs();
    const archive = blobs.layout([blobs.manifest(sample, undefined, refName("latest"))]);
    expect(loaded(await load(stores, archive))).toEqual([idOf(sample)]);
    await expectWhole(stores, { layers: sample.layers });
  });

  test("of an index, nested ones too, this machine's image is taken", async () => {
    await using stores = await freshStores(driver);
    const blobs = new Blobs();
    const strange: Sample = { layers: [top] };
    const attestation = {
      annotations: { "vnd.docker.reference.type": "attestation-manifest" },
      ...platform("unknown", undefined, "unknown"),
    };
    const index = blobs.index([
      blobs.manifest(strange, undefined, platform(foreign)),
      blobs.manifest(sample, undefined, platform(arch, thisPlatform.variant)),
      blobs.manifest({ layers: [] }, undefined, attestation),
    ]);
    await load(stores, blobs.layout([blobs.index([index], refName("app:1"))]));
    await expectWhole(stores, { ...sample, tags: ["app:1"] });
  });

  test("an index without this machine's image is refused, with what it has", async () => {
    await using stores = await freshStores(driver);
    const blobs = new Blobs();
    const index = blobs.index([blobs.manifest(sample, undefined, platform(foreign, "v8"))]);
    await expect(load(stores, blobs.layout([index]))).rejects.toThrow(
      `no image for linux/${arch} in index ${index.digest}: it has linux/${foreign}/v8`,
    );
    expect(await stores.left()).toEqual([]);
  });

  test("a single image is taken whatever it runs on", async () => {
    await using stores = await freshStores(driver);
    const blobs = new Blobs();
    await load(
      stores,
      blobs.layout([blobs.manifest(sample, undefined, { ...platform(foreign), ...refName("app:1") })]),
    );
    await expectWhole(stores, { ...sample, tags: ["app:1"] });
  });

  test("images with names of their own are all taken", async () => {
    await using stores = await freshStores(driver);
    const blobs = new Blobs();
    const other: Sample = { layers: [bottom], tags: ["other:1"] };
    const manifests = [
      blobs.manifest(sample, undefined, refName("app:1")),
      blobs.manifest(other, undefined, refName("other:1")),
    ];
    await load(stores, blobs.layout(manifests));
    await expectWhole(stores, { ...sample, tags: ["app:1"] }, other);
  });
});
