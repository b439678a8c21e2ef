import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Dockerd } from "../../../test/oracle/dockerd.js";
import { call } from "../../../test/oracle/engine-call.js";
import { lacking } from "../../../test/oracle/programs.js";
import { sampleArchive } from "../../../test/oracle/sample-image.js";
import { type Scratch, scratch } from "../../../test/oracle/scratch.js";
import type { ContainerCreateBody } from "../api-container.js";
import type { EventMessage } from "../api-system.js";
import { cannotRun, RunningEngine } from "./run.test.tools.js";

/** What both can be asked to do with a container. */
interface Side {
  readonly root: string;
  create(body: ContainerCreateBody): Promise<string>;
  start(id: string): Promise<unknown>;
  stop(id: string): Promise<unknown>;
  kill(id: string): Promise<unknown>;
  restart(id: string): Promise<unknown>;
  pause(id: string): Promise<unknown>;
  unpause(id: string): Promise<unknown>;
  wait(id: string): Promise<unknown>;
  remove(id: string, force?: boolean): Promise<unknown>;
  inspect(id: string): Promise<object>;
  events(since: number): Promise<EventMessage[]>;
}

function dockerdSide(dockerd: Dockerd): Side {
  const ask = (method: string, path: string, body?: object) =>
    call(dockerd.socket, `/v1.41${path}`, { method, ...(body && { body }) });
  const post = (verb: string) => (id: string) => ask("POST", `/containers/${id}/${verb}`);
  return {
    root: dockerd.dataRoot,
    create: async (body) => JSON.parse(await ask("POST", "/containers/create", body)).Id,
    ...{ start: post("start"), stop: post("stop"), kill: post("kill"), restart: post("restart") },
    ...{ pause: post("pause"), unpause: post("unpause"), wait: post("wait") },
    remove: (id, force = false) => ask("DELETE", `/containers/${id}?v=1&force=${force ? 1 : 0}`),
    inspect: async (id) => JSON.parse(await ask("GET", `/containers/${id}/json`)),
    events: async (since) => {
      const until = (Date.now() + 100) / 1000;
      const text = await ask("GET", `/events?since=${since}&until=${until}`);
      return text
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    },
  };
}

function ourSide(ours: RunningEngine): Side {
  const { containers, processes, events } = ours.engine;
  return {
    root: ours.root,
    create: async (body) => (await containers.create(body)).Id,
    start: (id) => processes.start(id),
    stop: (id) => processes.stop(id),
    kill: (id) => processes.kill(id),
    restart: (id) => processes.restart(id),
    pause: (id) => processes.pause(id),
    unpause: (id) => processes.unpause(id),
    wait: async (id) => (await processes.wait(id)).ended,
    remove: (id, force = false) => containers.remove(id, { force, volumes: true }),
    inspect: (id) => containers.inspect(id),
    events: async (since) => {
      const found: EventMessage[] = [];
      const range = { sinceNs: BigInt(Math.round(since * 1e9)), untilNs: BigInt(Date.now() + 100) * 1_000_000n };
      for await (const event of events.read(range)) found.push(event);
      return found;
    },
  };
}

/** What differs by its nature: ids, times, process numbers and places. */
function normal(value: unknown, root: string, id: string): unknown {
  const text = JSON.stringify(value)
    .replaceAll(root, "ROOT")
    .replaceAll(id, "ID")
    .replaceAll(id.slice(0, 12), "SHORT")
    .replace(/"sha256:[0-9a-f]{64}"/g, '"DIGEST"')
    .replace(/\b[0-9a-f]{64}\b/g, "HEX")
    .replace(/"20\d\d-[^"]*Z"/g, '"TIME"')
    .replace(/"Pid":[1-9]\d*/g, '"Pid":"PID"')
    // What a dockerd without a bridge notes: with another it would mean that there is to be none.
    .replaceAll('"NetworkDisabled":true,', "")
    .replace(/"SandboxKey":"[^"]+"/g, '"SandboxKey":"KEY"')
    .replace(/"\/?[a-z]+_[a-z]+\d*"/g, '"NAME"');
  return JSON.parse(text, (key, item) => {
    // dockerd has them in no order, and notes no place of a nameless volume.
    if (key === "Mounts" && Array.isArray(item)) return item.sort((a, b) => (a.Destination < b.Destination ? -1 : 1));
    return item?.Type === "volume" && "Spec" in item && !item.Spec.Source ? { ...item, Source: "" } : item;
  });
}

describe.skipIf(cannotRun ?? lacking("dockerd", "docker"))("beside dockerd 20.10", () => {
  let ours: RunningEngine;
  let dockerd: Dockerd;
  let directory: Scratch;
  let sides: readonly Side[];
  beforeAll(async () => {
    directory = await scratch("/dev/shm");
    ours = await RunningEngine.open();
    dockerd = await Dockerd.start(join(directory.path, "theirs"));
    await dockerd.tryDocker(["load"], { input: await sampleArchive("sample:1") });
    sides = [ourSide(ours), dockerdSide(dockerd)];
  });
  afterAll(async () => {
    await dockerd?.[Symbol.asyncDispose]();
    await ours?.[Symbol.asyncDispose]();
    await directory?.[Symbol.asyncDispose]();
  });

  /** Both do it; what they have to show is the same. */
  async function same(act: (side: Side) => Promise<{ id: string; shown: unknown }>): Promise<void> {
    const [mine, theirs] = await Promise.all(
      sides.map(async (side) => {
        const { id, shown } = await act(side);
        return normal(shown, side.root, id);
      }),
    );
    expect(mine).toEqual(theirs);
  }

  const stored = async (side: Side, id: string) => {
    if (side.root === ours.root) await ours.flushed(id);
    return JSON.parse(readFileSync(join(side.root, "containers", id, "config.v2.json"), "utf8"));
  };
  // Whether one has set its traps yet is a matter of speed.
  const endless = ["sleep", "1000"];
  const body = (Cmd: string[], more: ContainerCreateBody = {}): ContainerCreateBody => {
    return {
      Image: "sample:1",
      Cmd,
      StopSignal: "KILL",
      ...more,
      HostConfig: { NetworkMode: "none", ...more.HostConfig },
    };
  };

  test.for([
    ["of its own", {}],
    ["with volumes", { Volumes: { "/anon": {} }, HostConfig: { Binds: ["named:/named:ro"], Tmpfs: { "/t": "" } } }],
    ["in the default network", { HostConfig: { NetworkMode: "default" } }],
    ["in the host's network", { HostConfig: { NetworkMode: "host" } }],
    ["with shared memory for others", { HostConfig: { IpcMode: "shareable" }, Labels: { a: "b" } }],
  ] as const)("its file and its inspect through a life: %s", { timeout: 60_000 }, async ([, more]) => {
    await same(async (side) => {
      const shown: unknown[] = [];
      const id = await side.create(body(endless, structuredClone(more) as ContainerCreateBody));
      const look = async () => shown.push(await stored(side, id), await side.inspect(id));
      for (const step of ["start", "pause", "unpause", "stop", "start", "kill", "restart"] as const) {
        await side[step](id);
        await look();
      }
      await side.remove(id, true);
      return { id, shown };
    });
  });

  test("files of a failed start, of one that ended by itself, and their order of events", async () => {
    await same(async (side) => {
      const begun = Date.now() / 1000 - 60;
      const id = await side.create(body(["nosuch"]));
      const why = await side.start(id).catch((error: Error) => error.message);
      const file = await stored(side, id);
      await side.remove(id);
      // Whether its place in the network is noted as given back is a matter of when dockerd writes.
      const { NetworkSettings: _, ...rest } = file;
      return { id, shown: [why, rest, brief(await side.events(begun), id)] };
    });
    await same(async (side) => {
      const begun = Date.now() / 1000 - 60;
      const id = await side.create(body(["sh", "-c", "exit 4"], { HostConfig: { Binds: ["named:/named"] } }));
      await side.start(id);
      await side.wait(id);
      await side.start(id);
      await side.wait(id);
      await side.remove(id);
      return { id, shown: brief(await side.events(begun), id) };
    });
  });

  test("the events of a life", async () => {
    await same(async (side) => {
      const begun = Date.now() / 1000 - 60;
      const id = await side.create(body(endless, { Labels: { x: "y" }, HostConfig: { Binds: ["named:/named"] } }));
      for (const step of ["start", "pause", "unpause", "stop", "start", "restart", "kill", "start"] as const) {
        await side[step](id);
      }
      await side.remove(id, true);
      return { id, shown: brief(await side.events(begun), id) };
    });
  });
});

/**
 * What events say of one container, without their times; that of `flushed` is the test's own. dockerd tells a pause once
 * more when containerd's word of it comes after the end of the pause.
 */
function brief(events: readonly EventMessage[], id: string): unknown[] {
  const about = events.filter(({ Actor }) => Actor.ID === id || Actor.Attributes.container === id);
  const first = (action: string) => about.findIndex(({ Action }) => Action === action);
  return about
    .filter(({ Action }, at) => Action !== "update" && (!/pause$/.test(Action) || at === first(Action)))
    .map(({ Type, Action, Actor }) => ({ Type, Action, Actor }));
}

test.skipIf(cannotRun ?? lacking("dockerd", "docker"))(
  "one data root: run by dockerd, by us, and by dockerd again",
  { timeout: 60_000 },
  async () => {
    await using ours = await RunningEngine.open();
    await ours.engine[Symbol.asyncDispose]();
    const docker = async (use: (dockerd: Dockerd) => Promise<void>) => {
      await using dockerd = await Dockerd.start(ours.root);
      await use(dockerd);
    };
    const say = (word: string) => `echo ${word}; echo ${word} >> /said`;
    await docker(async (dockerd) => {
      const run = ["run", "--name", "theirs", "--network", "none", "-v", "kept:/kept", "sample:1"];
      await dockerd.docker(...run, "sh", "-c", `${say("hello")}; echo x >> /kept/f; cat /kept/f`);
    });
    const { processes } = await ours.reopen();
    await processes.start("theirs");
    await (await processes.wait("theirs")).ended;
    await ours.started(["sh", "-c", "cat /etc/hostname"], { Hostname: "us" }, "mine");
    await (await processes.wait("mine")).ended;
    await ours.engine[Symbol.asyncDispose]();
    await docker(async (dockerd) => {
      expect(await dockerd.docker("logs", "theirs")).toBe("hello\nx\nhello\nx\nx");
      expect(await dockerd.docker("start", "-a", "mine")).toBe("us");
      expect(await dockerd.docker("logs", "mine")).toBe("us\nus");
      expect(await dockerd.docker("diff", "theirs")).toContain("A /said");
      await dockerd.docker("rm", "theirs", "mine");
    });
    await ours.reopen();
    expect(await ours.engine.containers.list({ all: true })).toEqual([]);
    expect(ours.reports).toEqual([]);
  },
);
