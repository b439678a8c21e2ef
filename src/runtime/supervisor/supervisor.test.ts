import { createHash } from "node:crypto";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { NotFound } from "../../spec/index.js";
import { RuntimeFailure } from "../failure.js";
import { cannotRun, cgroupsOf, exitOf, Ground, outputs } from "./bundle.test.helper.js";

const all = { stdin: true, stdout: true, stderr: true };
const output = { stdin: false, stdout: true, stderr: true };

describe.skipIf(cannotRun)(`a supervised container${cannotRun ? ` (${cannotRun})` : ""}`, () => {
  test("gives its output and its exit, and leaves nothing", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request("echo out; echo err >&2; exit 7");
    const { id } = request;
    const stream = await supervisor.attach({ id }, output);
    const { pid } = await supervisor.start(request);
    expect(pid).toBeGreaterThan(1);
    const { stdout, stderr } = await outputs(stream);
    expect([stdout.toString(), stderr.toString()]).toEqual(["out\n", "err\n"]);
    expect(await exitOf(supervisor, id)).toMatchObject({ id, exitCode: 7, oomKilled: false });
    expect([ground.logged(id, "stdout"), ground.logged(id, "stderr")]).toEqual(["out\n", "err\n"]);
    expect(existsSync(request.bundle)).toBe(false);
    expect(cgroupsOf(id)).toEqual([]);
    expect(await supervisor.list()).toEqual([]);
    expect(readdirSync(`${ground.run}/processes`)).toEqual([]);
    expect(readdirSync(`${ground.run}/runc`)).toEqual([]);
  });

  test("can open /dev/stdout and /dev/stderr again", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request("echo a > /proc/self/fd/1; echo b > /proc/self/fd/2");
    await supervisor.start(request);
    expect((await exitOf(supervisor, request.id)).exitCode).toBe(0);
    expect(ground.logged(request.id, "stderr")).toBe("b\n");
  });

  test("that is killed ends with 128 and the signal, and is not hit again", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request(["/bin/sleep", "1000"]);
    await supervisor.start(request);
    expect(await supervisor.list()).toMatchObject([{ id: request.id }]);
    await supervisor.kill(request, 9);
    expect((await exitOf(supervisor, request.id)).exitCode).toBe(137);
    await expect(supervisor.kill(request, 9)).rejects.toThrow(NotFound);
  });

  test("ends for who waits, though its end cannot be noted", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request("read line; exit 9", { openStdin: true });
    const stream = await supervisor.attach(request, all);
    await supervisor.start(request);
    rmSync(`${ground.run}/processes`, { recursive: true });
    stream.end("on\n");
    expect((await exitOf(supervisor, request.id)).exitCode).toBe(9);
    expect(await supervisor.list()).toEqual([]);
  });

  test("is told to have been killed for want of memory", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request("head -c 200M /dev/zero | tail; exit 3", {
      linux: { resources: { memory: { limit: 20 << 20, swap: 20 << 20 } } },
    });
    await supervisor.start(request);
    expect(await exitOf(supervisor, request.id)).toMatchObject({ exitCode: 3, oomKilled: true });
  });

  test.for([
    [
      ["nope"],
      /^OCI runtime create failed: runc create failed: .*exec: "nope": executable file not found in \$PATH: unknown$/,
    ],
    [["/etc"], /^OCI runtime create failed: .*(permission denied|is a directory).*: unknown$/],
  ] as const)("that cannot start %s says so and leaves nothing", async ([args, message]) => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request(args, { openStdin: true });
    const stream = await supervisor.attach(request, all);
    const failure = await supervisor.start(request).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RuntimeFailure);
    expect((failure as Error).message).toMatch(message);
    expect(existsSync(request.bundle)).toBe(false);
    expect(cgroupsOf(request.id)).toEqual([]);
    expect(readdirSync(`${ground.run}/processes`)).toEqual([]);
    expect(readdirSync(`${ground.run}/runc`)).toEqual([]);
    expect(await supervisor.list()).toEqual([]);
    await supervisor.abandon(request);
    expect(await outputs(stream)).toMatchObject({ stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) });
  });

  test("says when there is no runtime", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor("/no/runc");
    const failed = supervisor.start(ground.request("true"));
    await expect(failed).rejects.toThrow(
      'OCI runtime create failed: exec: "/no/runc": executable file not found in $PATH: unknown',
    );
  });
});

describe.skipIf(cannotRun)("many", () => {
  test("50 containers at once, each with its output and its exit", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const requests = Array.from({ length: 50 }, (_, index) => ground.request(`echo ${index}; exit ${index}`));
    const ends = requests.map(async (request, index) => {
      const stream = await supervisor.attach(request, output);
      await supervisor.start(request);
      const { stdout } = await outputs(stream);
      const { exitCode } = await exitOf(supervisor, request.id);
      expect([stdout.toString(), exitCode]).toEqual([`${index}\n`, index]);
    });
    await Promise.all(ends);
    expect(await supervisor.list()).toEqual([]);
    expect(readdirSync(`${ground.run}/processes`)).toEqual([]);
    expect(requests.flatMap(({ id }) => cgroupsOf(id))).toEqual([]);
  });

  test("processes that share the machine's process ids end with their container", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const namespaces = ["network", "ipc", "uts", "mount"].map((type) => ({ type }));
    const request = ground.request("setsid sleep 1000 & echo $!", { linux: { namespaces } });
    const stream = await supervisor.attach(request, output);
    await supervisor.start(request);
    const pid = Number((await outputs(stream)).stdout.toString());
    expect((await exitOf(supervisor, request.id)).exitCode).toBe(0);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  test("a megabyte of output at a client that does not read makes the process wait, and none is lost", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request("seq 400000", { log: undefined });
    const stream = await supervisor.attach(request, output);
    await supervisor.start(request);
    const expected = createHash("sha256").update(
      Array.from({ length: 400_000 }, (_, index) => `${index + 1}\n`).join(""),
    );
    const { stdout } = await outputs(stream);
    expect(createHash("sha256").update(stdout).digest("hex")).toBe(expected.digest("hex"));
  });
});
