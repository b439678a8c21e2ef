import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { NotFound } from "../../spec/index.js";
import { RuntimeFailure } from "../failure.js";
import { cannotRun, execProcess, exitOf, Ground, outputs, untilOutput } from "./bundle.test.helper.js";

const all = { stdin: true, stdout: true, stderr: true };
const output = { stdin: false, stdout: true, stderr: true };

function cgroupsOf(id: string): string[] {
  const controllers = readdirSync("/sys/fs/cgroup").map((name) => `/sys/fs/cgroup/${name}/layerkit-test/${id}`);
  return [`/sys/fs/cgroup/layerkit-test/${id}`, ...controllers].filter((path) => existsSync(path));
}

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

describe.skipIf(cannotRun)("stdin of a container", () => {
  test("bytes come through unharmed, those sent before the start too", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request(["/bin/cat"], { openStdin: true, stdinOnce: true, log: undefined });
    const stream = await supervisor.attach(request, all);
    const sent = Array.from({ length: 300 }, (_, index) => randomBytes((index * 7919) % 50_000));
    const [early, late] = [sent.slice(0, 20), sent.slice(20)];
    for (const chunk of early) stream.write(chunk);
    const received = outputs(stream);
    await supervisor.start(request);
    for (const chunk of late) if (!stream.write(chunk)) await once(stream, "drain");
    stream.end();
    expect((await received).stdout.equals(Buffer.concat(sent))).toBe(true);
    expect((await exitOf(supervisor, request.id)).exitCode).toBe(0);
  });

  test("goes on when a client goes, and ends when one ends it", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request(["/bin/cat"], { openStdin: true, stdinOnce: true });
    await supervisor.start(request);
    const [first, second] = [await supervisor.attach(request, all), await supervisor.attach(request, all)];
    first.write("one\n");
    await untilOutput(first, "one\n");
    first.destroy();
    await untilOutput(second, "one\n");
    second.end("two\n");
    expect((await outputs(second)).stdout.toString()).toBe("two\n");
    expect((await exitOf(supervisor, request.id)).exitCode).toBe(0);
    expect(ground.logged(request.id)).toBe("one\ntwo\n");
  });

  test("that is not opened is empty", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request("wc -c");
    const stream = await supervisor.attach(request, all);
    stream.write("nobody reads this");
    await supervisor.start(request);
    expect((await outputs(stream)).stdout.toString()).toBe("0\n");
  });

  test("a process that reads nothing makes the client wait, one that closes it does not", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request("read line; exec 0<&-; echo $line; sleep 1000", {
      openStdin: true,
      stdinOnce: true,
    });
    await supervisor.start(request);
    const stream = await supervisor.attach(request, all);
    let written = 0;
    const chunk = Buffer.alloc(1 << 20, "x");
    for (let full = false; !full && written < 100; written++) full = !stream.write(chunk);
    expect(written).toBeLessThan(100);
    stream.write("\n");
    for (let more = 0; more < 30; more++) if (!stream.write(chunk)) await once(stream, "drain");
    await supervisor.kill(request, 9);
    await outputs(stream);
  });
});

describe.skipIf(cannotRun)("a terminal", () => {
  test("is one raw stream, and has the size it is told", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request(
      "stty size; echo err >&2; trap 'stty size; exit 5' WINCH; echo ready; while :; do sleep 0.01; done",
      {
        tty: true,
        openStdin: true,
      },
    );
    const stream = await supervisor.attach(request, all);
    await supervisor.start(request);
    expect(await untilOutput(stream, "ready\r\n")).toBe("0 0\r\nerr\r\nready\r\n");
    await supervisor.resize(request, { height: 40, width: 120 });
    expect(await untilOutput(stream, "\n")).toBe("40 120\r\n");
    expect((await exitOf(supervisor, request.id)).exitCode).toBe(5);
    expect(ground.logged(request.id, "stdout")).toBe("0 0\r\nerr\r\nready\r\n40 120\r\n");
  });

  test("takes what is typed, and ctrl-d", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request(["/bin/cat"], { tty: true, openStdin: true });
    const stream = await supervisor.attach(request, all);
    stream.write("typed\n");
    await supervisor.start(request);
    expect(await untilOutput(stream, "typed\r\ntyped\r\n")).toBe("typed\r\ntyped\r\n");
    stream.write("\u0004");
    expect((await exitOf(supervisor, request.id)).exitCode).toBe(0);
  });
});

describe.skipIf(cannotRun)("an added process", () => {
  test("has its own streams and exit", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request(["/bin/sleep", "1000"]);
    const { id } = request;
    await supervisor.start(request);
    const exec = { id, execID: "e1" };
    const stream = await supervisor.attach(exec, all);
    const process = execProcess(["/bin/sh", "-c", "cat; echo err >&2; exit 9"]);
    await supervisor.exec({ ...exec, process, tty: false, openStdin: true });
    stream.end("in");
    const { stdout, stderr } = await outputs(stream);
    expect([stdout.toString(), stderr.toString()]).toEqual(["in", "err\n"]);
    expect(await exitOf(supervisor, id, "e1")).toMatchObject({ exitCode: 9 });
    expect(ground.logged(id)).toBe("");
  });

  test("with a terminal", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request(["/bin/sleep", "1000"]);
    await supervisor.start(request);
    const exec = { id: request.id, execID: "e1" };
    const stream = await supervisor.attach(exec, all);
    const process = execProcess(["/bin/sh", "-c", "test -t 0 && tty"], true);
    await supervisor.exec({ ...exec, process, tty: true, openStdin: true });
    expect(await untilOutput(stream, "\n")).toMatch(/^\/dev\/pts\/\d+\r\n$/);
    expect((await exitOf(supervisor, request.id, "e1")).exitCode).toBe(0);
  });

  test("that is not there says so; without a container there is none", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request(["/bin/sleep", "1000"]);
    await supervisor.start(request);
    const exec = { id: request.id, execID: "e1", process: execProcess(["nope"]), tty: false, openStdin: false };
    await expect(supervisor.exec(exec)).rejects.toThrow(
      /^OCI runtime exec failed: exec failed: .*exec: "nope": executable file not found in \$PATH: unknown$/,
    );
    await expect(supervisor.exec({ ...exec, id: "gone" })).rejects.toThrow(NotFound);
  });

  test("ends for its clients though a child of it holds the output", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request(["/bin/sleep", "1000"]);
    await supervisor.start(request);
    const exec = { id: request.id, execID: "e1" };
    const stream = await supervisor.attach(exec, all);
    const process = execProcess(["/bin/sh", "-c", "sleep 1000 & echo started"]);
    await supervisor.exec({ ...exec, process, tty: false, openStdin: false });
    expect((await outputs(stream)).stdout.toString()).toBe("started\n");
    expect((await exitOf(supervisor, request.id, "e1")).exitCode).toBe(0);
  });

  test("ends with its container", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request(["/bin/sleep", "1000"]);
    await supervisor.start(request);
    const exec = { id: request.id, execID: "e1" };
    await supervisor.exec({ ...exec, process: execProcess(["/bin/sleep", "1000"]), tty: false, openStdin: false });
    await supervisor.kill({ id: request.id }, 9);
    expect((await exitOf(supervisor, request.id, "e1")).exitCode).toBe(137);
    expect((await exitOf(supervisor, request.id)).exitCode).toBe(137);
    expect(cgroupsOf(request.id)).toEqual([]);
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
