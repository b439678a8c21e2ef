import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rawTar } from "../../../test/oracle/raw-tar.js";
import { streamOf } from "../../../test/oracle/sample-image.js";
import { Conflict, InvalidParameter, NotFound } from "../../spec/index.js";
import { bytesOf } from "../engine.test.tools.js";
import type { LogOptions } from "../processes.js";
import { cannotRun, payload, RunningEngine, textOf } from "./run.test.tools.js";

const forever = ["sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"];

describe.skipIf(cannotRun)("the life of a container", () => {
  let ours: RunningEngine;
  beforeAll(async () => {
    ours = await RunningEngine.open();
  });
  afterAll(async () => {
    await ours[Symbol.asyncDispose]();
  });
  const stateOf = async (id: string) => (await ours.engine.containers.inspect(id)).State;

  test("what it writes is attached to, and its exit code is told", async () => {
    expect(await ours.outcome(["sh", "-c", "echo hello; exit 3"])).toEqual({ code: 3, out: "hello\n" });
  });

  test("it starts, stops by its signal, and starts again; each is told once", async () => {
    const { processes } = ours.engine;
    const told = ours.events();
    const id = await ours.ready(forever);
    expect(await processes.start(id)).toBe(false);
    expect(await stateOf(id)).toMatchObject({ Status: "running", Running: true, ExitCode: 0 });
    expect(await processes.stop(id)).toBe(true);
    expect(await processes.stop(id)).toBe(false);
    expect(await stateOf(id)).toMatchObject({ Status: "exited", Running: false, Pid: 0, ExitCode: 7 });
    await processes.restart(id);
    expect(await stateOf(id)).toMatchObject({ Status: "running", ExitCode: 0 });
    await processes.kill(id);
    expect(await stateOf(id)).toMatchObject({ Status: "exited", ExitCode: 137 });
    const once = ["kill 15", "die 7", "stop", "start", "restart", "kill 9", "die 137"];
    expect(told()).toEqual(["create", "start", ...once]);
  });

  test("one that does not listen is killed after a while", async () => {
    const id = await ours.ready(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"]);
    await ours.engine.processes.stop(id, { timeoutS: 0 });
    expect(await stateOf(id)).toMatchObject({ ExitCode: 137 });
  });

  test("a start that fails says why in Docker's words, and leaves it as it was", async () => {
    const { processes, containers } = ours.engine;
    const id = await ours.created(["nosuch"]);
    const missing = /exec: "nosuch": executable file not found in \$PATH: unknown$/;
    await expect(processes.start(id)).rejects.toThrow(missing);
    await expect(processes.start(id)).rejects.toThrow(InvalidParameter);
    expect(await stateOf(id)).toMatchObject({
      Status: "created",
      ExitCode: 127,
      Error: expect.stringMatching(missing),
    });
    const denied = await ours.created(["/etc"]);
    await expect(processes.start(denied)).rejects.toThrow(/permission denied/);
    expect((await stateOf(denied)).ExitCode).toBe(126);
    const lost = await ours.created(["true"], { HostConfig: { NetworkMode: "nonet" } });
    await expect(processes.start(lost)).rejects.toThrow(new NotFound("network nonet not found"));
    await containers.remove(lost);
  });

  test("with AutoRemove nothing is left, whether it ran or could not; and who waits for that is told", async () => {
    const { processes, containers } = ours.engine;
    for (const [cmd, code] of [["true", 0] as const, ["nosuch", 127] as const]) {
      const id = await ours.created([cmd], { HostConfig: { AutoRemove: true } });
      const { ended } = await processes.wait(id, "removed");
      await processes.start(id).catch(() => {});
      expect((await ended).StatusCode).toBe(code);
      await expect(containers.inspect(id)).rejects.toThrow(NotFound);
      expect(existsSync(join(ours.root, "containers", id))).toBe(false);
    }
  });

  test("waits: not running at once, the next exit, and removal", async () => {
    const { processes, containers } = ours.engine;
    const id = await ours.created(forever);
    expect(await (await processes.wait(id)).ended).toEqual({ StatusCode: 0, Error: null });
    const next = await processes.wait(id, "next-exit");
    const removed = await processes.wait(id, "removed");
    await processes.start(id);
    const stopped = await processes.wait(id);
    await containers.remove(id, { force: true });
    for (const { ended } of [next, stopped, removed]) expect((await ended).StatusCode).toBe(137);
  });

  test("it is frozen and thawed; frozen it can be removed by force", async () => {
    const { processes, containers } = ours.engine;
    const id = await ours.started(forever);
    await processes.pause(id);
    expect(await stateOf(id)).toMatchObject({ Status: "paused", Running: true, Paused: true });
    for (const refused of [processes.pause(id), processes.start(id), ours.engine.execs.create(id, { Cmd: ["true"] })]) {
      await expect(refused).rejects.toThrow(Conflict);
    }
    await processes.unpause(id);
    await expect(processes.unpause(id)).rejects.toThrow(`Container ${id} is not paused`);
    await processes.pause(id);
    await expect(containers.remove(id)).rejects.toThrow(`You cannot remove a paused container ${id}.`);
    await containers.remove(id, { force: true });
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(id);
  });

  test("its files lie where dockerd puts them, and say what is so", async () => {
    const { containers } = ours.engine;
    const id = await ours.started(forever, {
      HostConfig: { ExtraHosts: ["there:10.1.2.3"], Dns: ["10.9.9.9"], DnsSearch: ["a.example"], IpcMode: "shareable" },
      Hostname: "here",
    });
    const at = (name: string) => join(ours.root, "containers", id, name);
    expect(readFileSync(at("hostname"), "utf8")).toBe("here\n");
    expect(readFileSync(at("hosts"), "utf8")).toMatch(/^127\.0\.0\.1\tlocalhost\n[\s\S]*\n10\.1\.2\.3\tthere\n$/);
    expect(readFileSync(at("resolv.conf"), "utf8")).toBe("search a.example\nnameserver 10.9.9.9\n");
    expect(readFileSync(at("resolv.conf.hash"), "utf8")).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(readFileSync("/proc/self/mounts", "utf8")).toContain(` ${at("mounts/shm")} tmpfs `);
    expect(await containers.inspect(id)).toMatchObject({
      ...{ HostnamePath: at("hostname"), HostsPath: at("hosts"), ResolvConfPath: at("resolv.conf") },
      LogPath: at(`${id}-json.log`),
    });
    await containers.remove(id, { force: true });
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(id);
  });

  test("volumes, binds that are made, tmpfs, and volumes of another container are seen inside", async () => {
    const source = join(ours.root, "..", "bound");
    const first = await ours.created(["sh", "-c", "echo v > /v/f; echo b > /b/f; echo t > /t/f; cat /v/f /b/f /t/f"], {
      HostConfig: { Binds: ["named:/v", `${source}:/b`], Tmpfs: { "/t": "size=1m" } },
    });
    const { stream } = await ours.engine.processes.attach(first, { stdout: true, stream: true });
    const out = textOf(stream);
    await ours.engine.processes.start(first);
    expect(await out).toBe("v\nb\nt\n");
    expect(readFileSync(join(source, "f"), "utf8")).toBe("b\n");
    const second = await ours.outcome(["sh", "-c", "cat /v/f; (echo no > /v/g) 2>/dev/null || echo read-only"], {
      HostConfig: { VolumesFrom: [`${first}:ro`] },
    });
    expect(second.out).toBe("v\nread-only\n");
  });

  test("namespaces of another container are joined, while that runs", async () => {
    const { processes } = ours.engine;
    const id = await ours.started(forever, { HostConfig: { IpcMode: "shareable" } });
    const modes = { NetworkMode: `container:${id}`, PidMode: `container:${id}`, IpcMode: `container:${id}` };
    const { out } = await ours.outcome(
      ["sh", "-c", "ls -l /proc/1/ns/net /proc/self/ns/net; cat /proc/sys/kernel/hostname"],
      {
        HostConfig: modes,
      },
    );
    const [one, other] = out.match(/net:\[\d+\]/g) ?? [];
    expect(one).toBeDefined();
    expect(other).toBe(one);
    expect(out.trim().endsWith(`\n${id.slice(0, 12)}`)).toBe(true);
    await processes.kill(id);
    const late = await ours.created(["true"], { HostConfig: modes });
    await expect(processes.start(late)).rejects.toThrow(`cannot join network of a non running container: ${id}`);
  });

  test("restart policies: on failure as often as allowed, always until it is stopped", async () => {
    const { processes } = ours.engine;
    const failing = await ours.started(["sh", "-c", "exit 1"], {
      HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 } },
    });
    for (let dies = 0; (await stateOf(failing)).Running; dies++) {
      expect(dies).toBeLessThan(5);
      await (await processes.wait(failing, "next-exit")).ended;
    }
    expect((await ours.engine.containers.inspect(failing)).RestartCount).toBe(2);
    const always = await ours.started(["true"], { HostConfig: { RestartPolicy: { Name: "always" } } });
    await (await processes.wait(always, "next-exit")).ended;
    expect(await stateOf(always)).toMatchObject({ Status: "restarting", Running: true, Pid: 0 });
    expect(await processes.stop(always)).toBe(true);
    expect(await stateOf(always)).toMatchObject({ Status: "exited", Running: false });
  });

  test("start, stop and removal at once end sanely", async () => {
    const { processes, containers } = ours.engine;
    for (let i = 0; i < 3; i++) {
      const id = await ours.created(forever);
      const starts = [processes.start(id), processes.start(id), processes.stop(id, { timeoutS: 0 })];
      const rest = [processes.start(id), processes.kill(id), containers.remove(id, { force: true })];
      await Promise.allSettled([...starts, ...rest]);
      await containers.remove(id, { force: true }).catch(() => {});
      await expect(containers.inspect(id)).rejects.toThrow(NotFound);
      expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(id);
    }
  });

  test("one that is being started is removed by force", async () => {
    const { processes, containers } = ours.engine;
    const id = await ours.created(forever);
    const starting = processes.start(id).catch(() => {});
    while (!existsSync(`${ours.runs}/containers/${id}`)) await setImmediate();
    await containers.remove(id, { force: true });
    await starting;
    await expect(containers.inspect(id)).rejects.toThrow(NotFound);
  });

  test("what it writes while it runs is seen by diff, cp, export and commit, for which it is frozen", async () => {
    const { containers } = ours.engine;
    const id = await ours.started(["sh", "-c", "echo written > /f; > /ready; while :; do sleep 0.05; done"], {
      HostConfig: { Binds: ["seen:/seen"] },
    });
    await ours.exec(id, ["sh", "-c", "while ! test -e /ready; do sleep 0.02; done; echo in > /seen/f"]);
    expect(await containers.changes(id)).toContainEqual({ Path: "/f", Kind: 1 });
    expect((await bytesOf((await containers.archive(id, "/f")).body)).toString()).toContain("written\n");
    expect((await bytesOf((await containers.archive(id, "/seen/f")).body)).toString()).toContain("in\n");
    expect((await bytesOf(await containers.export(id))).includes("written\n")).toBe(true);
    const told = ours.events();
    const { Id } = await containers.commit(id, { repo: "committed", tag: "1" });
    expect(told()).toEqual(["pause", "commit", "unpause"]);
    expect(await ours.outcome(["sh", "-c", "while read line; do echo $line; done < /f"], { Image: Id })).toEqual({
      code: 0,
      out: "written\n",
    });
    await containers.extract(id, "/", streamOf(rawTar([{ name: "into", content: "cp\n" }])));
    expect(await ours.exec(id, ["cat", "/into"])).toBe("cp\n");
    await containers.remove(id, { force: true });
    await ours.engine.images.remove("committed:1", { force: true });
  });

  test("an image that runs cannot be removed, and prunes leave what runs", async () => {
    const { containers, images, processes } = ours.engine;
    const id = await ours.started(forever);
    const inUse = "image is being used by running container";
    const { Image } = await containers.inspect(id);
    await expect(images.remove(Image, { force: true })).rejects.toThrow(inUse);
    const { ContainersDeleted } = await containers.prune();
    expect(ContainersDeleted).not.toContain(id);
    await processes.kill(id);
    expect((await containers.prune()).ContainersDeleted).toContain(id);
  });

  test("a hundred, twenty at a time: started, looked into and removed, and nothing is left", {
    timeout: 120_000,
  }, async () => {
    const { containers } = ours.engine;
    let left = 100;
    const one = async () => {
      while (left-- > 0) {
        const id = await ours.started(["sleep", "1000"]);
        expect(await ours.exec(id, ["cat", "/proc/sys/kernel/hostname"])).toBe(`${id.slice(0, 12)}\n`);
        await containers.remove(id, { force: true });
      }
    };
    await Promise.all(Array.from({ length: 20 }, one));
    const mounts = readFileSync("/proc/self/mounts", "utf8");
    const running = (await containers.list()).length;
    expect(mounts.split(`${ours.root}/overlay2/`).length > 1 ? running : 0).toBe(running);
    expect(ours.reports).toEqual([]);
  });

  test("a further process: its output, its exit code before the end, and what cannot be started", async () => {
    const { execs } = ours.engine;
    const id = await ours.started(forever);
    const run = async (Cmd: string[]) => {
      const { Id } = await execs.create(id, { Cmd, AttachStdout: true, AttachStderr: true });
      const started = await execs.start(Id, {});
      const out = await textOf(started!.stream);
      return { out, code: (await execs.inspect(Id)).ExitCode };
    };
    expect(await run(["sh", "-c", "cat /proc/sys/kernel/hostname; exit 5"])).toEqual({
      out: `${id.slice(0, 12)}\n`,
      code: 5,
    });
    const failed = await run(["nosuch"]);
    expect(failed).toEqual({
      code: 126,
      out: expect.stringMatching(/^OCI runtime exec failed: .*nosuch.*unknown\r\n$/),
    });
    const { Id } = await execs.create(id, { Cmd: ["cat"], AttachStdin: true, AttachStdout: true });
    const { stream } = (await execs.start(Id, {}))!;
    expect((await ours.engine.containers.inspect(id)).ExecIDs).toEqual([Id]);
    stream.end("typed");
    expect(await textOf(stream)).toBe("typed");
    await expect(execs.start(Id, {})).rejects.toThrow(Conflict);
    await expect(execs.inspect("zz")).rejects.toThrow(new NotFound("No such exec instance: zz"));
  });

  test("its log is kept: both streams, followed until it ends, before what an attached client gets", async () => {
    const { processes } = ours.engine;
    const id = await ours.started(["sh", "-c", "echo one; while ! test -e /go; do sleep 0.02; done; echo two >&2"]);
    const logs = async (options: LogOptions) => {
      return payload(await bytesOf((await processes.logs(id, options)).body));
    };
    const followed = logs({ stdout: true, stderr: true, follow: true });
    const { Id } = await ours.engine.execs.create(id, { Cmd: ["sh", "-c", "> /go"] });
    const { stream } = await processes.attach(id, { stdout: true, stderr: true, stream: true, logs: true });
    const attached = textOf(stream);
    await ours.engine.execs.start(Id, { detach: true });
    expect(await followed).toBe("one\ntwo\n");
    expect(await attached).toBe("one\ntwo\n");
    expect(await logs({ stderr: true })).toBe("two\n");
    expect(await logs({ stdout: true, stderr: true, tail: 1, timestamps: true })).toMatch(/^\d{4}-.{24}Z two\n$/);
    await expect(processes.logs(id, {})).rejects.toThrow("Bad parameters: you must choose at least one stream");
    const silent = await ours.created(["true"], { HostConfig: { LogConfig: { Type: "none" } } });
    await processes.start(silent);
    await expect(processes.logs(silent, { stdout: true })).rejects.toThrow("does not support reading");
  });

  test("its processes are listed, and what they use", async () => {
    const { processes } = ours.engine;
    const id = await ours.started(["sleep", "1000"]);
    const { Titles, Processes } = await processes.top(id);
    expect(Titles.slice(0, 2)).toEqual(["UID", "PID"]);
    expect(Processes.map((row) => row.at(-1))).toEqual(["sleep 1000"]);
    for await (const sample of await processes.stats(id, { oneShot: true })) {
      expect(sample).toMatchObject({ id, pids_stats: { current: 1 }, cpu_stats: { online_cpus: expect.any(Number) } });
    }
    await processes.kill(id);
    for await (const sample of await processes.stats(id, {})) expect(sample).toMatchObject({ id, memory_stats: {} });
    await expect(processes.top(id)).rejects.toThrow(`Container ${id} is not running`);
  });

  test("its limits can be changed while it runs", async () => {
    const { processes, containers } = ours.engine;
    const id = await ours.started(forever);
    await processes.update(id, { Memory: 64 << 20, MemorySwap: 64 << 20, RestartPolicy: { Name: "always" } });
    const { HostConfig } = await containers.inspect(id);
    expect(HostConfig).toMatchObject({ Memory: 64 << 20, RestartPolicy: { Name: "always" } });
    for await (const { memory_stats } of await processes.stats(id, { oneShot: true })) {
      expect(memory_stats).toMatchObject({ limit: 64 << 20 });
    }
    await expect(processes.update(id, { Memory: 1000 })).rejects.toThrow("Minimum memory limit allowed is 6MB");
  });

  test("its health is looked after", async () => {
    const { containers } = ours.engine;
    const check = { Test: ["CMD-SHELL", "test -e /healthy && echo fine"], Interval: 30e6, Retries: 2 };
    const id = await ours.created(forever, { Healthcheck: check });
    const sick = ours.event("health_status: unhealthy");
    await ours.engine.processes.start(id);
    expect((await stateOf(id)).Health).toMatchObject({ Status: "starting" });
    await sick;
    expect((await stateOf(id)).Health).toMatchObject({ Status: "unhealthy", FailingStreak: 2 });
    const well = ours.event("health_status: healthy");
    const { Id } = await ours.engine.execs.create(id, { Cmd: ["sh", "-c", "> /healthy"] });
    await ours.engine.execs.start(Id, { detach: true });
    await well;
    const { Health } = (await stateOf(id)) as { Health: { Log: { Output: string }[] } };
    expect(Health).toMatchObject({ Status: "healthy", FailingStreak: 0 });
    expect(Health.Log.at(-1)).toMatchObject({ ExitCode: 0, Output: "fine\n" });
    await containers.remove(id, { force: true });
  });
});
