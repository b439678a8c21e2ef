import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { layerkitMain } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { Registry } from "./oracle/registry.js";
import { run } from "./oracle/run.js";
import { sampleArchive } from "./oracle/sample-image.js";
import { type Scratch, scratch } from "./oracle/scratch.js";
import { user } from "./oracle/token-service.js";

describe.skipIf(lacking("docker-registry", "openssl"))("layerkit push and pull", () => {
  let directory: Scratch;
  let registry: Registry;
  beforeAll(async () => {
    directory = await scratch();
    registry = await Registry.start({ auth: "token" });
    const auth = Buffer.from(`${user.username}:${user.password}`).toString("base64");
    await mkdir(join(directory.path, "login"));
    await writeFile(
      join(directory.path, "login/config.json"),
      JSON.stringify({ auths: { [registry.host]: { auth } } }),
    );
    await writeFile(join(directory.path, "sample.tar"), await sampleArchive(`${registry.host}/sample:latest`));
    await writeFile(join(directory.path, "daemon.json"), JSON.stringify({ "storage-driver": "vfs" }));
  });
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  const layerkit = async (root: string, args: string[], login = "login") => {
    const globals = ["--root", join(directory.path, root), "--config-file", join(directory.path, "daemon.json")];
    const env = { DOCKER_CONFIG: join(directory.path, login) };
    const ran = await run(process.execPath, [layerkitMain, ...globals, ...args], { cwd: directory.path, env });
    const plain = (text: string) => text.replaceAll(registry.host, "HOST").trimEnd().split("\n");
    return { ...ran, out: plain(ran.stdout), err: plain(ran.stderr) };
  };

  test("tell the registry who asks, by what docker login has kept", async () => {
    const name = `${registry.host}/sample`;
    expect((await layerkit("one", ["load", "-i", "sample.tar"])).status).toBe(0);
    const denied = await layerkit("one", ["push", name], "nobody");
    expect([denied.status, denied.err]).toEqual([1, ["layerkit: denied: requested access to the resource is denied"]]);
    const pushed = await layerkit("one", ["push", name]);
    expect(pushed.err).toEqual([""]);
    expect(pushed.out.slice(0, 2)).toEqual([
      "Using default tag: latest",
      "The push refers to repository [HOST/sample]",
    ]);
    expect(pushed.out.filter((line) => line.endsWith(": Pushed"))).toHaveLength(4);
    const [, digest] = /^latest: digest: (sha256:\w{64}) size: \d+$/.exec(pushed.out.at(-1) ?? "") ?? [];
    expect((await layerkit("one", ["push", "-a", "-q", name])).out).toEqual(["HOST/sample"]);
    const aux = JSON.parse((await layerkit("one", ["push", "--format", "json", `${name}:latest`])).out.at(-1) ?? "");
    expect(aux).toMatchObject({ aux: { Tag: "latest", Digest: digest } });

    const refused = await layerkit("two", ["pull", name], "nobody");
    expect([refused.status, refused.err[0]]).toEqual([
      1,
      expect.stringMatching(/^layerkit: pull access denied for HOST/),
    ]);
    expect((await layerkit("two", ["pull", "-q", name])).out).toEqual(["HOST/sample:latest"]);
  });

  test("want names they can use", async () => {
    const digest = `${registry.host}/sample@sha256:${"a".repeat(64)}`;
    expect((await layerkit("one", ["push", digest])).err).toEqual(["layerkit: cannot push a digest reference"]);
    const tagged = await layerkit("one", ["push", "-a", `${registry.host}/sample:1`]);
    expect([tagged.status, tagged.err[0]]).toEqual([2, expect.stringMatching(/has a tag: with --all-tags name the/)]);
  });
});
