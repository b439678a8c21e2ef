import { once } from "node:events";
import { request } from "node:http";
import { describe, expect, test } from "vitest";
import { Conflict } from "../../spec/index.js";
import { Rig } from "../fake-engine.test.helper.js";

describe("what is done to containers", () => {
  test.for([
    ["start?detachKeys=", true, 204, ["processes.start", "c"]],
    ["start", false, 304, ["processes.start", "c"]],
    ["stop?t=3&signal=INT", true, 204, ["processes.stop", "c", { timeoutS: 3, signal: "INT" }]],
    ["stop?t=-1", false, 304, ["processes.stop", "c", { timeoutS: -1 }]],
    ["restart", undefined, 204, ["processes.restart", "c", {}]],
    ["kill", undefined, 204, ["processes.kill", "c", undefined]],
    ["kill?signal=SIGUSR1", undefined, 204, ["processes.kill", "c", "SIGUSR1"]],
    ["pause", undefined, 204, ["processes.pause", "c"]],
    ["unpause", undefined, 204, ["processes.unpause", "c"]],
    ["resize?h=10&w=20", undefined, 200, ["processes.resize", "c", { height: 10, width: 20 }]],
  ] as const)("POST %s, told %s, is %i", async ([path, told, status, seen]) => {
    const word = path.split("?")[0] ?? "";
    await using rig = await Rig.open({ processes: { [word]: async () => told } });
    const answer = await rig.ask("POST", `/containers/c/${path}`, { body: { t: 0 } });
    expect([answer.status, answer.text, rig.seen[0]]).toEqual([status, "", seen]);
  });

  test("a signal to stop by is heeded from API 1.42 on", async () => {
    await using rig = await Rig.open({ processes: { stop: async () => true } });
    await rig.ask("POST", "/v1.41/containers/c/stop?signal=INT");
    expect(rig.seen[0]?.[2]).toEqual({});
  });

  test.for(["stop?t=x", "resize?h=1", "resize?h=a&w=1", "wait?condition=bored"])("POST %s is 400", async (path) => {
    await using rig = await Rig.open();
    expect((await rig.ask("POST", `/containers/c/${path}`)).status).toBe(400);
    expect(rig.seen).toEqual([]);
  });

  test("an update hands on what it is given", async () => {
    const body = { Memory: 1 << 26, RestartPolicy: { Name: "always" }, memoryswap: -1 };
    await using rig = await Rig.open({ processes: { update: async () => ({ Warnings: [] }) } });
    expect((await rig.ask("POST", "/containers/c/update", { body })).json).toEqual({ Warnings: [] });
    expect(rig.seen[0]).toEqual(["processes.update", "c", body]);
  });

  test("a state that forbids it is 409", async () => {
    const pause = () => Promise.reject(new Conflict("Container c is not running"));
    await using rig = await Rig.open({ processes: { pause } });
    const answer = await rig.ask("POST", "/containers/c/pause");
    expect([answer.status, answer.json]).toEqual([409, { message: "Container c is not running" }]);
  });
});

describe("a wait", () => {
  test("tells that it waits before it tells the outcome", async () => {
    const step = new EventTarget();
    const ended = once(step, "exit").then(() => ({ StatusCode: 3, Error: null }));
    await using rig = await Rig.open({ processes: { wait: async () => ({ ended }) } });
    const asked = request({ socketPath: rig.socket, method: "POST", path: "/containers/c/wait?condition=removed" });
    const [answer] = await once(asked.end(), "response");
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([200, "application/json"]);
    step.dispatchEvent(new Event("exit"));
    let text = "";
    for await (const piece of answer) text += piece;
    expect(text).toBe('{"StatusCode":3,"Error":null}\n');
    expect(rig.seen[0]?.slice(0, 3)).toEqual(["processes.wait", "c", "removed"]);
  });

  test("is cut when the daemon closes", async () => {
    const wait = async (_: string, __: string, { signal }: { signal: AbortSignal }) => ({
      ended: once(signal, "abort").then(() => Promise.reject(signal.reason)),
    });
    await using rig = await Rig.open({ processes: { wait } });
    const asked = request({ socketPath: rig.socket, method: "POST", path: "/containers/c/wait" }).end();
    const [answer] = await once(asked, "response");
    const cut = once(answer, "error");
    await rig.close(60_000);
    expect(await cut).toMatchObject([{ code: "ECONNRESET" }]);
    expect(rig.logged.join("")).not.toContain("level=error");
  });
});

describe("what containers give", () => {
  test("logs are told what is asked for, and their headers come before the first line", async () => {
    const step = new EventTarget();
    const body = async function* () {
      await once(step, "line");
      yield Buffer.from("\x01\0\0\0\0\0\0\x02a\n");
    };
    await using rig = await Rig.open({ processes: { logs: async () => ({ tty: false, body: body() }) } });
    const path = "/containers/c/logs?stdout=1&follow=1&since=5.25&until=&tail=7&timestamps=true";
    const asked = request({ socketPath: rig.socket, path }).end();
    const [answer] = await once(asked, "response");
    expect(answer.headers).toMatchObject({
      "content-type": "application/vnd.docker.multiplexed-stream",
      "transfer-encoding": "chunked",
    });
    step.dispatchEvent(new Event("line"));
    let text = "";
    for await (const piece of answer) text += piece;
    expect(text).toBe("\x01\0\0\0\0\0\0\x02a\n");
    expect(rig.seen[0]?.[2]).toEqual({
      ...{ stdout: true, stderr: false, follow: true, timestamps: true, details: false },
      ...{ sinceNs: 5_250_000_000n, tail: 7, signal: expect.any(AbortSignal) },
    });
  });

  test.for(["all", "-1", "x", ""])("the tail %s is all", async (tail) => {
    const logs = async () => ({ tty: true, body: (async function* () {})() });
    await using rig = await Rig.open({ processes: { logs } });
    const answer = await rig.ask("GET", `/containers/c/logs?stdout=1&tail=${tail}`);
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, "application/vnd.docker.raw-stream"]);
    expect(rig.seen[0]?.[2]).not.toHaveProperty("tail");
  });

  test.for([
    ["", { stream: true, oneShot: false }],
    ["stream=false", { stream: false, oneShot: false }],
    ["stream=0&one-shot=1", { stream: false, oneShot: true }],
    ["stream=1&one-shot=1", { stream: true, oneShot: false }],
  ] as const)("stats?%s are one object a line", async ([query, asked]) => {
    const samples = async function* () {
      yield { name: "/c" };
      yield { name: "/c" };
    };
    await using rig = await Rig.open({ processes: { stats: async () => samples() } });
    expect((await rig.ask("GET", `/containers/c/stats?${query}`)).text).toBe('{"name":"/c"}\n{"name":"/c"}\n');
    expect(rig.seen[0]?.[2]).toMatchObject(asked);
  });

  test("top asks ps for what it is told", async () => {
    const top = { Titles: ["PID"], Processes: [["1"]] };
    await using rig = await Rig.open({ processes: { top: async () => top } });
    expect((await rig.ask("GET", "/containers/c/top?ps_args=-o%20pid")).json).toEqual(top);
    expect(rig.seen[0]).toEqual(["processes.top", "c", "-o pid"]);
  });
});

describe("execs", () => {
  test("are made of what clients send, in any spelling", async () => {
    await using rig = await Rig.open({ execs: { create: async () => ({ Id: "e" }) } });
    const body = { cmd: "true", attachStdout: true, Env: null, Detach: false, hijack: true };
    const answer = await rig.ask("POST", "/containers/c/exec", { body });
    expect([answer.status, answer.json]).toEqual([201, { Id: "e" }]);
    expect(rig.seen[0]).toEqual(["execs.create", "c", { Cmd: ["true"], AttachStdout: true, Detach: false }]);
  });

  test("that are detached are answered when they run", async () => {
    await using rig = await Rig.open({ execs: { start: async () => undefined } });
    const answer = await rig.ask("POST", "/exec/e/start", { body: { Detach: true } });
    expect([answer.status, answer.text]).toEqual([200, ""]);
    expect(rig.seen[0]).toEqual(["execs.start", "e", { detach: true, tty: false }]);
  });

  test("are told a terminal's size, and tell of themselves", async () => {
    await using rig = await Rig.open({ execs: { resize: async () => {}, inspect: async () => ({ ID: "e" }) } });
    expect((await rig.ask("POST", "/exec/e/resize?h=1&w=2")).status).toBe(200);
    expect((await rig.ask("GET", "/exec/e/json")).json).toEqual({ ID: "e" });
  });
});
