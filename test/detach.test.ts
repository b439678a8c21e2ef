import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Both } from "./oracle/both.js";
import { call } from "./oracle/engine-call.js";
import { lacking } from "./oracle/programs.js";

const skip = lacking("root", "mounts", "loop", "dockerd", "docker", "containerd", "runc", "mkfs.ext4");
const base = { Image: "sample:1", HostConfig: { NetworkMode: "none" }, Cmd: ["cat"], OpenStdin: true };
const ctrlP = "\x10";
const ctrlQ = "\x11";

/** Writes and waits for the echo that ends with this. */
async function type(stream: NodeJS.ReadWriteStream, typed: string, echo: string): Promise<string> {
  stream.write(typed);
  let said = "";
  for await (const chunk of (stream as Duplex).iterator({ destroyOnReturn: false })) {
    said += (chunk as Buffer).toString("latin1");
    if (said.endsWith(echo)) return said;
  }
  throw new Error(`it ends with ${JSON.stringify(said)}`);
}

/** Status and message, without ids. */
function refused(error: { statusCode: number; json?: { message?: string } | null }): unknown[] {
  return [error.statusCode, error.json?.message?.replace(/[0-9a-f]{64}/g, "ID")];
}

describe.skipIf(skip)("a client that does not look for the keys itself, of our daemon and of dockerd", () => {
  let both: Both;
  beforeAll(async () => {
    both = await Both.start();
  });
  afterAll(() => both[Symbol.asyncDispose]());
  const play = (play: (docker: Docker, socket: string) => Promise<unknown>) =>
    both.play(({ socket }) => play(new Docker({ socketPath: socket }), socket));

  /** What has been told of a container since. */
  async function told(socket: string, id: string, since: number): Promise<string[]> {
    const filters = encodeURIComponent(JSON.stringify({ container: [id] }));
    const until = (Date.now() + 50) / 1000;
    const lines = await call(socket, `/events?since=${since}&until=${until}&filters=${filters}`);
    return lines
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line).Action as string);
  }

  const ways = [
    ["the usual keys", undefined, [], ctrlP + ctrlQ],
    ["keys of its own", "ctrl-x,b", ["\x18c", "\x18c"], "\x18b"],
    ["one key", "DEL", [], "\x7f"],
    ["keys in pieces", undefined, [], [ctrlP, ctrlQ]],
  ] as const;

  test.for(ways)("leaves a container's terminal by %s", async ([, detachKeys, [other = "a", echo = "a"], keys]) => {
    await play(async (docker, socket) => {
      const since = Date.now() / 1000;
      const container = await docker.createContainer({ ...base, Tty: true });
      const stream = await container.attach({
        ...{ stream: true, stdin: true, stdout: true, hijack: true },
        ...(detachKeys !== undefined && { detachKeys }),
      });
      await container.start();
      const before = await type(stream, "typed\r", "typed\r\ntyped\r\n");
      if (detachKeys !== "DEL") await type(stream, other, echo.replace("\x18", "^X"));
      for (const piece of keys) stream.write(piece);
      const after = await text(stream);
      const { Running } = (await container.inspect()).State;
      const events = await told(socket, container.id, since);
      await container.remove({ force: true });
      return [before, after, Running, events];
    });
  });

  test("without a terminal the keys are bytes like others", async () => {
    await play(async (docker) => {
      const container = await docker.createContainer({ ...base, StdinOnce: true });
      const stream = await container.attach({ stream: true, stdin: true, stdout: true, hijack: true });
      await container.start();
      stream.end(`${ctrlP}${ctrlQ}more`);
      const said = await text(stream);
      await container.remove({ force: true });
      return said;
    });
  });

  // In dockerd 20.10 the keys are an error, which ends the process; in later releases it goes on.
  test("leaves a further process by its keys, which goes on", async () => {
    const { socket } = both.ours;
    const since = Date.now() / 1000;
    const container = await new Docker({ socketPath: socket }).createContainer({ ...base, Tty: true });
    await container.start();
    for (const [DetachKeys, keys] of [[undefined, ctrlP + ctrlQ] as const, ["a,b", "ab"] as const]) {
      const asked = { Cmd: ["cat"], AttachStdin: true, AttachStdout: true, Tty: true };
      const exec = await container.exec({ ...asked, ...(DetachKeys !== undefined && { DetachKeys }) });
      const stream = await exec.start({ hijack: true, stdin: true, Tty: true });
      await type(stream, "typed\r", "typed\r\ntyped\r\n");
      stream.write(keys);
      expect([await text(stream), (await exec.inspect()).Running]).toEqual(["", true]);
    }
    const events = (await told(socket, container.id, since)).map((event) => event.replace(/:.*/, ""));
    const once = ["exec_create", "exec_start", "exec_detach"];
    expect(events).toEqual(["create", "start", ...once, ...once]);
    await container.remove({ force: true });
  });

  test("is refused keys that are none", async () => {
    await play(async (docker) => {
      const container = await docker.createContainer({ ...base, Tty: true });
      await container.start();
      const asked = { stream: true, stdin: true, hijack: true, detachKeys: "zork" };
      const seen = [
        await container.attach(asked).catch(refused),
        await container.exec({ Cmd: ["cat"], DetachKeys: "a,zork" }).catch(refused),
      ];
      await container.remove({ force: true });
      return seen;
    });
  });

  test("is told in the stream that a further process has been started before", async () => {
    await play(async (docker) => {
      const container = await docker.createContainer(base);
      await container.start();
      const withoutID = (said: string) => said.replace(/[0-9a-f]{64}/g, "ID");
      const again = async (exec: Docker.Exec) => [
        withoutID(await text(await exec.start({ hijack: true, stdin: true }))),
        withoutID(await text(await exec.start({}))),
        withoutID(await text(await exec.start({ Tty: true }))),
        await exec.start({ Detach: true }).catch(refused),
      ];
      const seen: unknown[] = [];
      for (const Cmd of [["true"], ["sleep", "1000"]]) {
        const exec = await container.exec({ Cmd, AttachStdout: true, AttachStdin: true });
        const first = await exec.start({ hijack: true, stdin: true });
        if (Cmd[0] === "true") await text(first);
        seen.push(...(await again(exec)));
      }
      await container.remove({ force: true });
      return seen;
    });
  });
});
