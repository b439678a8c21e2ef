import type { Duplex } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../test/oracle/until.js";
import { bytesOf } from "../engine.test.tools.js";
import type { LogOptions } from "../processes.js";
import { cannotRun, forever, payload, RunningEngine, textOf } from "./run.test.tools.js";

/** The payload of framed output up to the end of a text; it goes on. */
async function upTo(stream: Duplex, end: string): Promise<string> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    bytes = Buffer.concat([bytes, chunk as Buffer]);
    if (payload(bytes).endsWith(end)) break;
  }
  return payload(bytes);
}

function wholeFrames(bytes: Buffer): Buffer {
  let end = 0;
  for (let at = 0; at <= bytes.length; at += 8 + bytes.readUInt32BE(at + 4)) {
    end = at;
    if (at + 8 > bytes.length) break;
  }
  return bytes.subarray(0, end);
}

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

  test.for([
    ["flows", {}],
    ["flows and its log is put aside", { "max-size": "20k", "max-file": "3" }],
  ] as const)(
    "no line is missing and none comes twice to who attaches with the log while output %s",
    async ([, Config]) => {
      const { processes } = ours.engine;
      const counting = ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; done"];
      const id = await ours.started(counting, { HostConfig: { LogConfig: { Type: "json-file", Config } } });
      const attached = Array.from({ length: 12 }, async () => {
        const { stream } = await processes.attach(id, { stdout: true, stream: true, logs: true });
        const chunks: Buffer[] = [];
        // More than a file of the log, so that what comes is both.
        for await (const chunk of stream) if (chunks.push(chunk as Buffer) > 100) break;
        const numbers = payload(wholeFrames(Buffer.concat(chunks)))
          .split("\n")
          .slice(0, -1)
          .map(Number);
        expect(numbers.length).toBeGreaterThan(100);
        expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
      });
      await Promise.all(attached);
      await processes.kill(id);
    },
  );

  test("who attaches with the log gets the beginning of a line too that has no end yet", async () => {
    const { processes } = ours.engine;
    const id = await ours.started(["sh", "-c", "printf 'one\\ntw'; read line; echo o"], { OpenStdin: true });
    const followed = await processes.attach(id, { stdout: true, stream: true, logs: true });
    const first = await upTo(followed.stream, "tw");
    const { stream } = await processes.attach(id, { stdin: true, stdout: true, stream: true, logs: true });
    const text = textOf(stream);
    stream.write("\n");
    expect([first, await text]).toEqual(["one\ntw", "one\ntwo\n"]);
  });

  test("its processes are listed, and what they use", async () => {
    const { processes } = ours.engine;
    const id = await ours.started(["sleep", "1000"]);
    // What has been started is the runtime's own program for a moment.
    const commands = async () => (await processes.top(id)).Processes.map((row) => row.at(-1));
    await until(async () => (await commands())[0] === "sleep 1000");
    expect(await commands()).toEqual(["sleep 1000"]);
    expect((await processes.top(id)).Titles.slice(0, 2)).toEqual(["UID", "PID"]);
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
