import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { DamagedRoot, restore } from "./damaged-root.test.tools.js";
import { listKept } from "./quarantine.js";
import { openSource } from "./sources/open-source.js";
import type { Source } from "./sources/source.js";

const drivers = lacking("root", "mounts") ? [] : (["overlay2", "overlay", "vfs"] as const);

describe.each(drivers)("a layer of %s", (driver) => {
  let root: DamagedRoot;
  let before: string[];
  let open: Source[];
  beforeEach(async () => {
    root = await DamagedRoot.make(driver);
    before = root.facts();
    open = [];
  });
  afterEach(async () => {
    for (const source of open) await source[Symbol.asyncDispose]();
    await root[Symbol.asyncDispose]();
  });
  const from = async (form: "docker" | "docker.gz" | "oci" = "docker") => {
    const source = await openSource(await root.archive(form), root.root, root.path);
    open.push(source);
    return [source];
  };

  /** Several at once, where they do not hide each other. */
  const damages: Record<string, (root: DamagedRoot) => void> = {
    "files of other content, type, metadata, or none at all": (root) => {
      fs.writeFileSync(root.file(0, "d/below"), "BELOW\n");
      fs.truncateSync(root.file(0, "big"), 4096);
      fs.rmSync(root.file(0, "kept"), { recursive: true });
      fs.chmodSync(root.file(0, "o"), 0o777);
      fs.rmSync(root.file(0, "soft"));
      fs.symlinkSync("/etc/shadow", root.file(0, "soft"));
      fs.rmSync(root.file(0, "null"));
      fs.rmSync(root.file(0, "b"));
      fs.writeFileSync(root.file(0, "b"), "three\n");
      fs.writeFileSync(root.file(1, "o/shown"), "both names changed\n");
      fs.chownSync(root.file(1, "a"), 1000, 1000);
    },
    "a file in place of a directory, a tar-split cut short": (root) => {
      fs.rmSync(root.file(0, "d"), { recursive: true });
      fs.writeFileSync(root.file(0, "d"), "no directory");
      fs.truncateSync(root.entry(0, "tar-split.json.gz"), 30);
      fs.rmSync(root.entry(1, "tar-split.json.gz"));
    },
    "a directory in place of a file, no size, other times": (root) => {
      fs.rmSync(root.file(0, "d/below"));
      fs.mkdirSync(root.file(0, "d/below"));
      fs.utimesSync(root.file(0, "big"), 1, 1);
      fs.utimesSync(root.file(0, "o"), 1, 1);
      fs.rmSync(root.entry(1, "size"));
    },
    "no cache-id, and no entry in the layerdb": (root) => {
      fs.rmSync(root.entry(0, "cache-id"));
      fs.rmSync(root.entry(1), { recursive: true });
    },
    "a file in place of the entry": (root) => {
      fs.rmSync(root.entry(0, "size"));
      fs.rmSync(root.entry(1), { recursive: true });
      fs.writeFileSync(root.entry(1), "");
    },
  };
  const inOwnDirectory = /entry/;

  test.each(Object.keys(damages))("with %s, is as it was afterwards", async (name) => {
    damages[name]!(root);
    const { told, left } = await root.mend([restore(0), restore(1)], await from());
    expect(told).toEqual([expect.stringMatching(/^done/), expect.stringMatching(/^done/)]);
    expect(left).toEqual([]);
    expect(await root.expectWhole()).toEqual([]);
    if (driver === "overlay2" || !inOwnDirectory.test(name)) expect(named(root.facts())).toEqual(named(before));
  });

  /** An entry that was lost stands for a directory of another name. */
  const named = (facts: string[]) =>
    facts
      .filter((line) => !/^[0-9a-f]{64}(\/link|\/lower)? |^l/.test(line))
      .map((line) => line.replace(/^[0-9a-f]{64}|= [0-9a-f]{64}/g, ""))
      .sort();

  test.each(["docker", "docker.gz", "oci"] as const)(
    "that is gone altogether comes back from an archive: %s",
    async (form) => {
      for (const at of [0, 1, 2]) fs.rmSync(root.directory(at), { recursive: true });
      if (driver === "overlay2") fs.rmSync(join(root.home, "l"), { recursive: true });
      const { told } = await root.mend([restore(2), restore(1), restore(0)], await from(form));
      expect(told).toHaveLength(3);
      for (const line of told) expect(line).toMatch(/^done: restore layer sha256:\w+: the whole layer, from .*\.tar$/);
      expect(await root.expectWhole()).toEqual([]);
      expect(named(root.facts())).toEqual(named(before));
    },
  );

  test("comes back from another data root", async () => {
    await using other = await DamagedRoot.make(driver === "overlay" ? "overlay2" : "overlay");
    fs.rmSync(root.directory(1), { recursive: true });
    const { told } = await root.mend([restore(1)], [await openSource(other.root, root.root, root.path)]);
    expect(told.join()).toMatch(/^done.*: the whole layer, from /);
    expect(await root.expectWhole()).toEqual([]);
  });

  test("that only lacks what tells of it needs no source; what was replaced is kept", async () => {
    fs.rmSync(root.entry(1, "cache-id"));
    fs.writeFileSync(root.entry(1, "size"), "77\n");
    fs.writeFileSync(root.file(2, "top/foreign"), "not of the layer");
    const { left, quarantine } = await root.mend([restore(1), restore(2)]);
    expect(left).toEqual([]);
    expect(await root.expectWhole()).toEqual([]);
    const kept = listKept(root.root).map(({ path, at }) => [path.replace(/^.*\//, ""), fs.readFileSync(at, "utf8")]);
    expect(kept).toContainEqual(["size", "77\n"]);
    if (driver === "overlay2") expect(kept).toContainEqual(["foreign", "not of the layer"]);
    expect(quarantine).toMatch(/layerkit-quarantine\/\d{4}-/);
    expect(fs.readdirSync(join(root.root, "layerkit-quarantine"))).not.toContain("staging");
  });

  test("that nobody has is left as it is, and it is said why", async () => {
    fs.writeFileSync(root.file(0, "d/below"), "BELOW\n");
    const damaged = root.facts();
    const { told, left } = await root.mend([restore(0)]);
    expect(told).toEqual([]);
    expect(left).toMatchObject([
      {
        why: [expect.stringMatching(/^nobody has the bytes of layer sha256:\w+: its own files: /)],
        advice: expect.stringMatching(/^layer sha256:\w+ of image .*app:1.* is needed: layerkit repair --from /),
      },
    ]);
    expect(root.facts()).toEqual(damaged);
    expect(fs.existsSync(join(root.root, "layerkit-quarantine"))).toBe(false);
    expect(listKept(root.root)).toEqual([]);
  });

  test("is not made of what does not hash to it", async () => {
    fs.writeFileSync(root.file(2, "top/file"), "TOP\n");
    const damaged = root.facts();
    async function* wrong() {
      yield { from: "liar", open: () => fs.createReadStream(root.entry(0, "tar-split.json.gz")) };
    }
    const liar = { name: "liar", layers: wrong, images: async function* () {}, [Symbol.asyncDispose]: async () => {} };
    const { left } = await root.mend([restore(2)], [liar]);
    expect(left).toMatchObject([{ why: [expect.stringContaining("liar: ")] }]);
    expect(root.facts()).toEqual(damaged);
  });
});

describe.runIf(drivers.length > 0)("a layer of overlay", () => {
  test("that is gone has its files in those upon it", async () => {
    await using root = await DamagedRoot.make("overlay");
    fs.rmSync(root.directory(1), { recursive: true });
    const { told } = await root.mend([restore(1)]);
    expect(told.join()).toMatch(/^done.*: the whole layer, from .*\/root$/);
    expect(await root.expectWhole()).toEqual([]);
  });

  test("shares a file with those upon it: they get the one that is restored", async () => {
    await using root = await DamagedRoot.make("overlay");
    fs.writeFileSync(root.file(0, "kept/deep/file"), "damaged in all layers\n");
    const source = await openSource(await root.archive("docker"), root.root, root.path);
    expect((await root.mend([restore(0)], [source])).told.join()).toMatch(/^done.*: 1 replaced, from /);
    for (const at of [0, 1, 2]) {
      expect(fs.readFileSync(root.file(at, "kept/deep/file"), "utf8")).toBe("kept in all layers\n");
      expect(fs.lstatSync(root.file(at, "kept/deep/file")).nlink).toBe(3);
    }
    await source[Symbol.asyncDispose]();
  });
});
