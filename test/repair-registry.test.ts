import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { du } from "./oracle/du.js";
import { dockerArchive } from "./oracle/image-archives.js";
import { layerTar } from "./oracle/image-stores.js";
import { layerkitMain } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { Registry, type RegistryOptions } from "./oracle/registry.js";
import { type Ran, run } from "./oracle/run.js";
import { type Scratch, scratch } from "./oracle/scratch.js";
import { Terminal } from "./oracle/terminal.js";

const skip = lacking("root", "mounts", "docker-registry", "skopeo", "script", "stty");

const layers = [
  layerTar({ "etc/bottom": "bottom\n", big: "b".repeat(100_000) }),
  layerTar({ "etc/middle": "middle\n" }),
  layerTar({ "etc/top": "top\n" }),
];

describe.skipIf(skip)("repair", () => {
  let disk: Scratch;
  let root: string;
  beforeEach(async () => {
    disk = await scratch("/dev/shm");
    root = join(disk.path, "root");
    await mkdir(root);
    await writeFile(join(disk.path, "image.tar"), dockerArchive([{ layers, tags: ["app:1"] }]));
  });
  afterEach(() => disk[Symbol.asyncDispose]());

  const layerkit = (...args: string[]): Promise<Ran> =>
    run(process.execPath, [layerkitMain, "--root", root, "--storage-driver", "overlay2", ...args], {
      env: { DOCKER_CONFIG: disk.path },
    });
  const done = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await layerkit(...args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(progress) });
    return stdout;
  };
  /** A line for each layer that is read, and for each source, as a pull has them in a pipe. */
  const progress = /^(layer \w{12}: (reading \S.*|as it should be|differs)\n|image\.tar: reading\n)*$/;
  /** Pulled from a registry that only this test knows. */
  const pulled = async (options: RegistryOptions = {}) => {
    const registry = await Registry.start(options);
    const login = options.auth ? ["--dest-creds", "layerkit:secret"] : [];
    const ref = await registry.fill(join(disk.path, "image.tar"), "some/app:1", login);
    await done("pull", ref);
    return { registry, ref };
  };
  const layerdb = () => join(root, "image/overlay2/layerdb/sha256");
  const middle = () => {
    const entry = readdirSync(layerdb()).find((hex) => existsSync(join(home(hex), "diff/etc/middle")))!;
    return { entry: join(layerdb(), entry), directory: home(entry) };
  };
  const home = (hex: string) => join(root, "overlay2", readFileSync(join(layerdb(), hex, "cache-id"), "utf8"));
  const blobsAsked = (registry: Registry, from: number) =>
    registry.requests.slice(from).filter((line) => /^GET .*\/blobs\//.test(line));

  test("fetches the layer that is lost, and nothing else", { timeout: 120_000 }, async () => {
    const { registry, ref } = await pulled();
    await using _registry = registry;
    expect(await done("repair")).toMatch(/^Nothing is wrong with /);
    const { directory } = middle();
    rmSync(directory, { recursive: true });
    const before = registry.requests.length;

    const plan = await layerkit("repair", "--dry-run");
    expect(plan).toMatchObject({ status: 1, stderr: "" });
    expect(plan.stdout).toMatch(/^would: layer-directory-missing: restore layer sha256:\w+: from the registry\n$/);
    expect(existsSync(directory)).toBe(false);

    const alone = await layerkit("repair", "--no-fetch");
    expect(alone.status).toBe(1);
    expect(alone.stdout).toMatch(/\nleft: |^left: /);
    expect(alone.stdout).toMatch(/of image .*some\/app:1.* is needed: layerkit repair --from /);

    const repaired = await layerkit("repair");
    expect(repaired.stderr).toMatch(/^layer \w{12}: reading 127\.0\.0\.1:\d+\/some\/app\n$/);
    expect(repaired.stdout).toMatch(
      /^done: layer-directory-missing: restore layer sha256:\w+: the whole layer, from 127\.0\.0\.1:\d+\/some\/app\n/,
    );
    expect(blobsAsked(registry, before)).toHaveLength(1);
    expect(await done("repair", "--deep")).toMatch(/^Nothing is wrong with /);
    await done("save", "-o", join(disk.path, "saved.tar"), ref);
  });

  test("finds the layers of an image by its name, and its config, where nothing else tells of them", {
    timeout: 120_000,
  }, async () => {
    const { registry, ref } = await pulled();
    await using _registry = registry;
    rmSync(join(root, "image/overlay2/distribution"), { recursive: true });
    rmSync(join(root, "image/overlay2/imagedb/content/sha256"), { recursive: true });
    writeFileSync(join(middle().directory, "diff/etc/middle"), "MIDDLE\n");
    const said = await done("repair", "--deep");
    expect(said).toMatch(/done: image-missing: restore the config of image sha256:\w+: from the registry\n/);
    expect(said).toMatch(/done: layer-content-damaged: restore layer sha256:\w+: 1 replaced, from 127\.0\.0\.1:\d+\//);
    expect(await done("images", "--format", "json")).toContain(ref.slice(0, ref.lastIndexOf(":")));
    expect(readFileSync(join(middle().directory, "diff/etc/middle"), "utf8")).toBe("middle\n");

    const kept = /kept in (\S+): /.exec(said)?.[1] ?? "";
    const file = join(middle().directory, "diff/etc/middle").slice(root.length + 1);
    expect(readFileSync(join(root, kept, file), "utf8")).toBe("MIDDLE\n");
    const listed = (await done("repair", "--list", "--format", "json")).split("\n").filter(Boolean);
    const rows = listed.map((line) => JSON.parse(line) as Record<string, string>);
    expect(rows.map(({ KeptIn = "" }) => existsSync(join(root, KeptIn)))).not.toContain(false);
    expect(rows).toContainEqual(
      expect.objectContaining({ Path: file, KeptIn: join(kept, file), Why: expect.stringMatching(/^layer \w{12} /) }),
    );
    for (const { KeptIn = "", SizeBytes } of rows) {
      expect(Number(SizeBytes)).toBe((await du(join(root, KeptIn))).Bytes);
    }
    expect(await done("repair", "--list")).toMatch(
      /^REMOVED +SIZE +INODES +PATH +WHY\n[\s\S]* things?, .*--purge deletes/,
    );
    const check = await layerkit("check");
    expect(check).toMatchObject({ status: 0, stdout: expect.stringMatching(/kept: layerkit repair --list\.\n$/) });
    rmSync(join(root, file));
    expect(await done("repair", "--put-back", file)).toMatch(/is in its place again/);
    expect(readFileSync(join(root, file), "utf8")).toBe("MIDDLE\n");
    expect(await done("repair", "--deep", "--from", join(disk.path, "image.tar"))).toMatch(
      /1 replaced, from .*image\.tar/,
    );
    expect(await done("repair", "--purge")).toMatch(/is deleted: \d+ things?\./);
    expect(existsSync(join(root, "layerkit-quarantine"))).toBe(false);
  });

  test("asks the repositories of nameless images which tags lead to them", { timeout: 120_000 }, async () => {
    const { registry, ref } = await pulled();
    await using _registry = registry;
    await registry.fill(join(disk.path, "image.tar"), "some/app:also");
    await writeFile(join(disk.path, "other.tar"), dockerArchive([{ layers: layers.slice(0, 2), tags: ["app:2"] }]));
    await registry.fill(join(disk.path, "other.tar"), "some/app:2");
    const repository = ref.slice(0, ref.lastIndexOf(":"));
    const list = join(root, "image/overlay2/repositories.json");
    rmSync(list);
    const alone = await done("repair", "--no-fetch");
    expect(alone).toContain(`prune would take it; its layers are in ${repository}; layerkit tag`);
    rmSync(list);
    const said = (await done("repair")).split("\n").filter((line) => line.startsWith("done: tags-missing"));
    expect(said.map((line) => line.replace(/image \w{12}/, "image")).sort()).toEqual([
      `done: tags-missing: call image ${repository}:1 again, as ${repository} has it now`,
      `done: tags-missing: call image ${repository}:also again, as ${repository} has it now`,
    ]);
    const requests = registry.requests.length;
    await done("rmi", `${repository}:also`);
    expect(await done("repair", "--names")).toMatch(/^Nothing is wrong/);
    expect(registry.requests).toHaveLength(requests);
    await registry[Symbol.asyncDispose]();
    rmSync(list);
    const gone = await done("repair");
    expect(gone).toMatch(/^note: not all could be asked for names: the registry: \S+\/some\/app: /m);
    expect(gone).toMatch(/^nameless: image /m);
  });

  test("shows at a terminal how far it is, as a pull does", { timeout: 120_000 }, async () => {
    await done("load", "-i", join(disk.path, "image.tar"));
    await writeFile(join(disk.path, "image.tar.gz"), gzipSync(readFileSync(join(disk.path, "image.tar"))));
    for (const hex of readdirSync(layerdb())) rmSync(home(hex), { recursive: true });
    const from = ["--no-fetch", "--from", join(disk.path, "image.tar.gz")];
    const args = [layerkitMain, "--root", root, "repair", ...from];
    await using terminal = await Terminal.open(process.execPath, args, { DOCKER_CONFIG: disk.path });
    const said = await terminal.until("nothing is wrong");
    expect(await terminal.status).toBe(0);
    expect(said).toMatch(/image\.tar\.gz: Reading \[[=>]+ *\] [\d.]+k?B\/[\d.]+k?B/);
    expect(said).toMatch(/layer \w{12}: Restoring \[[=>]+ *\] [\d.]+k?B\/[\d.]+k?B/);
    // Each step is a line of its own, below what is redrawn.
    const steps = said.split(/[\r\n]+/).filter((line) => line.startsWith("done: "));
    expect(steps).toHaveLength(layers.length);
    expect(said).not.toContain("reading its own files");
  });

  test("shows a registry who asks, and tells why it was refused", { timeout: 120_000 }, async () => {
    const auth = Buffer.from("layerkit:secret").toString("base64");
    const login = (auths: object) => writeFile(join(disk.path, "config.json"), JSON.stringify({ auths }));
    await using registry = await Registry.start({ auth: "basic" });
    await login({ [registry.host]: { auth } });
    const ref = `${registry.host}/some/app:1`;
    await done("load", "-i", join(disk.path, "image.tar"));
    await done("tag", "app:1", ref);
    await done("push", ref);
    await done("rmi", "app:1", ref);
    await done("pull", ref);
    rmSync(middle().directory, { recursive: true });
    await login({});
    const refused = await layerkit("repair");
    expect(refused.status).toBe(1);
    expect(refused.stdout).toMatch(
      /^left: .*\(nobody has the bytes of layer sha256:\w+: the registry: .*: no basic auth credentials/m,
    );
    await login({ [registry.host]: { auth } });
    expect(await done("repair")).toMatch(/the whole layer, from 127/);
  });

  test("works where nobody else does, and says who does", { timeout: 60_000 }, async () => {
    await done("load", "-i", join(disk.path, "image.tar"));
    const wrong = await layerkit("repair", "--purge", "--dry-run");
    expect(await done("repair", "--list")).toBe(`No repair of ${root} has kept anything.\n`);
    expect(await done("repair", "--list", "--format", "json")).toBe("");
    expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining("only one of") });
    expect((await layerkit("repair", "--purge")).stderr).toMatch(/^layerkit: no repair of .* has kept anything\n$/);
    expect((await layerkit("repair", "--from", "/nonexistent")).stderr).toMatch(/^layerkit: there is no \/nonexistent/);
    expect((await layerkit("repair", "--from", root)).stderr).toMatch(/is the data root that is to be repaired/);
    const json = await done("repair", "--format", "json");
    expect(JSON.parse(json)).toEqual({ Done: 0, Left: 0 });
  });
});
