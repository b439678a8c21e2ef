import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bytesOf } from "../engine.test.tools.js";
import type { LogOptions } from "../processes.js";
import { cannotRun, forever, payload, RunningEngine, textOf } from "./run.test.tools.js";

describe.skipIf(cannotRun)("what is seen of a container", () => {
  let ours: RunningEngine;
  beforeAll(async () => {
    ours = await RunningEngine.open();
  });
  afterAll(async () => {
    await ours[Symbol.asyncDispose]();
  });
  const stateOf = async (id: string) => (await ours.engine.containers.inspect(id)).State;

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
