import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Undo } from "../src/spec/index.js";
import { BadRegistry } from "./oracle/bad-registry.js";
import { layerTar } from "./oracle/image-stores.js";
import { Layerkitd, layerkitMain } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { answers, type Fault, isSilent } from "./oracle/registry-faults.js";
import { leftovers } from "./oracle/root-leftovers.js";
import { run } from "./oracle/run.js";
import { type Scratch, scratch } from "./oracle/scratch.js";

const layers = ["one", "two"].map((name) => layerTar({ [name]: name }));

describe.skipIf(lacking("root", "mounts"))("layerkit pull", () => {
  const undo = new Undo();
  let place: Scratch;
  let registry: BadRegistry;
  let env: Record<string, string>;
  beforeAll(async () => {
    place = await scratch();
    undo.defer(() => place[Symbol.asyncDispose]());
    registry = await BadRegistry.start();
    undo.defer(() => registry[Symbol.asyncDispose]());
    registry.addImage("app:1", layers);
    registry.addImage("app:latest", layers);
    env = { DOCKER_CONFIG: join(place.path, "docker") };
    await mkdir(env.DOCKER_CONFIG!);
  });
  afterAll(() => undo[Symbol.asyncDispose]());

  const rootOf = (name: string) => join(place.path, name);
  const layerkit = (root: string, ...args: string[]) =>
    run(process.execPath, [layerkitMain, "--root", rootOf(root), ...args], { env });
  const at = (name: string) => `${registry.host}/${name}`;

  test.skipIf(lacking("docker 28"))("prints what docker pull prints", { timeout: 60_000 }, async () => {
    await using daemon = await Layerkitd.start(rootOf("both"));
    const both = [
      (args: string[]) => daemon.tryDocker(args),
      (args: string[]) => run(process.execPath, [layerkitMain, "-H", `unix://${daemon.socket}`, ...args], { env }),
    ];
    for (const args of [[at("app:1")], [at("app")], ["-q", at("app")], ["-a", at("app")]]) {
      const printed: unknown[] = [];
      for (const each of both) {
        const twice = [await each(["pull", ...args]), await each(["pull", ...args])];
        printed.push(twice.map(({ status, stdout }) => [status, linesOf(stdout)]));
        await daemon.tryDocker(["rmi", at("app:1"), at("app:latest")]);
      }
      expect(printed[1], args.join(" ")).toEqual(printed[0]);
    }
    for (const args of [[at("app:nope")], [at("none")], ["-a", at("app:1")], [at("UPPER")]]) {
      const [theirs, ours] = [await both[0]!(["pull", ...args]), await both[1]!(["pull", ...args])];
      expect([theirs.status !== 0, ours.status !== 0], args.join(" ")).toEqual([true, true]);
      expect(ours.stderr.trim().split("\n")).toHaveLength(1);
    }
  });

  test("gives JSON to scripts, and ends with 1 when that tells of a failure", async () => {
    const { stdout, status } = await layerkit("json", "pull", "--format", "json", at("app:1"));
    const messages = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(status).toBe(0);
    expect(messages[0]).toEqual({ status: "Pulling from app", id: "1" });
    expect(messages.at(-1)).toEqual({ status: `Status: Downloaded newer image for ${at("app:1")}` });
    const [blob] = registry.addImage("broken:1", [layerTar({ broken: "x" })]);
    registry.alwaysMisbehave(new RegExp(`/broken/blobs/${blob!.digest}`), answers(404));
    const failed = await layerkit("json", "pull", "--format", "json", at("broken:1"));
    expect(failed).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^layerkit: layer 1 of 1 .* answered 404 .*\n$/),
    });
    expect(await leftovers(rootOf("json"))).toEqual([]);
  });

  test.for(["SIGINT", "SIGTERM"] as const)("ends at once with %s, and leaves nothing half", async (signal) => {
    const root = rootOf(signal);
    const [blob] = registry.addImage(`slow:${signal}`, [layerTar({ slow: signal })]);
    const asked = new Promise<void>((resolve) => {
      registry.misbehave(new RegExp(blob!.digest), (...call) => {
        isSilent(...call);
        resolve();
      });
    });
    const args = [layerkitMain, "--root", root, "pull", at(`slow:${signal}`)];
    const child = spawn(process.execPath, args, { stdio: "ignore", env: { ...process.env, ...env } });
    const ended = once(child, "exit");
    await asked;
    child.kill(signal);
    // As a shell sees it: 130 for SIGINT.
    expect(await ended).toEqual([null, signal]);
    expect(await leftovers(root)).toEqual([]);
  });

  test("shows the registry what docker login has kept", async () => {
    const auth = Buffer.from("somebody:secret").toString("base64");
    await using registry = await BadRegistry.start();
    registry.addImage("private:1", layers);
    const name = `${registry.host}/private:1`;
    const locked: Fault = (request, response, serve) => {
      if (request.headers.authorization === `Basic ${auth}`) serve();
      else answers(401, { "www-authenticate": 'Basic realm="test"' })(request, response, serve);
    };
    registry.alwaysMisbehave(/./, locked);
    const refused = await layerkit("auth", "pull", name);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining("no basic auth credentials") });
    await writeFile(join(env.DOCKER_CONFIG!, "config.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }));
    expect(await layerkit("auth", "pull", name)).toMatchObject({ status: 0, stderr: "" });
  });

  test("is what create does for an image that is missing, unless told otherwise", async () => {
    const create = (name: string, when: string) =>
      layerkit("create", "create", "--pull", when, "--name", name, at("app:1"), "sh");
    expect(await create("never", "never")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("No such image"),
    });
    const missing = await create("missing", "missing");
    expect(missing).toMatchObject({ status: 0, stdout: expect.stringMatching(/^[0-9a-f]{64}\n$/) });
    expect(missing.stderr).toContain(`Unable to find image '${at("app:1")}' locally\n1: Pulling from app\n`);
    const always = await create("always", "always");
    expect(always.stderr).toContain("Image is up to date");
    expect(await create("again", "missing")).toMatchObject({ status: 0, stderr: "" });
  });
});

function linesOf(text: string): string[] {
  return text.split("\n").sort();
}
