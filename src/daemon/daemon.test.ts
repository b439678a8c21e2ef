import { once } from "node:events";
import { lstat } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { until } from "../../test/oracle/until.js";
import { Rig } from "./fake-engine.test.helper.js";

/** Events that never come, until the reader goes. */
async function* silence({ signal }: { signal: AbortSignal }): AsyncIterable<object> {
  await once(signal, "abort");
  if (!signal.aborted) yield {};
}

describe("the end", () => {
  test("closing lets a running request finish, and frees the engine after it", async () => {
    const step = new EventTarget();
    await using rig = await Rig.open({
      images: {
        history: async () => {
          await once(step, "go");
          rig.seen.push(["done"]);
          return [];
        },
      },
    });
    const answer = rig.ask("GET", "/images/x/history");
    await until(() => rig.seen.length === 1);
    const closed = rig.close(60_000);
    step.dispatchEvent(new Event("go"));
    expect((await answer).status).toBe(200);
    await closed;
    expect(rig.seen.map(([what]) => what)).toEqual(["images.history", "done", "dispose"]);
  });

  test("closing ends event streams, aborts what takes too long, and removes the socket", async () => {
    let aborted = false;
    await using rig = await Rig.open({
      events: { read: silence },
      images: {
        load: async function* (_: unknown, { signal }: { signal: AbortSignal }) {
          yield {};
          await once(signal, "abort");
          aborted = true;
          throw signal.reason;
        },
      },
    });
    const events = rig.ask("GET", "/events");
    const load = rig.ask("POST", "/images/load", { body: "x" });
    await until(() => rig.seen.length === 2);
    await rig.close(10);
    expect(await events).toMatchObject({ status: 200, text: "", complete: true });
    expect(aborted).toBe(true);
    expect((await load).text).toMatch(/^\{\}\r\n\{"errorDetail":\{"message":"the daemon is shutting down"\}/);
    await expect(lstat(rig.socket)).rejects.toThrow("ENOENT");
  });

  test("draining turns nobody away who got through: also their next requests are served", async () => {
    await using rig = await Rig.open({ images: { list: [] } }, false);
    const socket = await rig.raw();
    const answers: string[] = [];
    socket.on("data", (chunk) => answers.push(String(chunk)));
    const get = "GET /images/json HTTP/1.1\r\n\r\n";
    socket.write(get);
    await until(() => answers.length === 1);
    const drained = rig.daemon.drain();
    await until(() => rig.seen.length === 1);
    await expect(rig.raw()).rejects.toThrow(/ECONNREFUSED|ENOENT/);
    socket.write(get);
    await until(() => answers.length === 2);
    expect(rig.seen.map(([what]) => what)).toEqual(["images.list", "images.list"]);
    socket.end();
    await drained;
    expect(rig.seen.at(-1)).toEqual(["dispose"]);
  });
});

describe("mounts held for clients", () => {
  const mounts: string[] = [];
  const containers = {
    inspect: (name: string) => ({ Id: `id-${name.replace("id-", "")}` }),
    mount: (id: string) => {
      mounts.push(`+${id}`);
      return { path: `/m/${id}`, [Symbol.asyncDispose]: async () => void mounts.push(`-${id}`) };
    },
  };

  test("a mount lives until taken back as often as asked for, or until the daemon ends", async () => {
    mounts.length = 0;
    await using rig = await Rig.open({ containers });
    const mount = (Container: string) => rig.ask("POST", "/layerkit/mounts", { body: { Container } });
    expect((await mount("a")).json).toEqual({ Container: "id-a", Path: "/m/id-a", Count: 1 });
    expect((await mount("a")).json).toMatchObject({ Count: 2 });
    await mount("b");
    expect((await rig.ask("DELETE", "/layerkit/mounts/a")).json).toMatchObject({ Count: 1 });
    expect((await rig.ask("DELETE", "/layerkit/mounts/a")).json).toMatchObject({ Count: 0 });
    expect((await rig.ask("DELETE", "/layerkit/mounts/a")).status).toBe(404);
    expect((await rig.ask("GET", "/layerkit/mounts")).json).toEqual([{ Container: "id-b", Path: "/m/id-b", Count: 1 }]);
    await rig.close();
    expect(mounts).toEqual(["+id-a", "+id-a", "+id-b", "-id-a", "-id-a", "-id-b"]);
    expect(rig.seen.at(-1)).toEqual(["dispose"]);
  });

  test("a mount held by a request goes when its client does", async () => {
    mounts.length = 0;
    await using rig = await Rig.open({ containers });
    const body = '{"Container":"a"}';
    const socket = await rig.raw();
    socket.write(
      `POST /layerkit/mounts?hold=1 HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await until(() => mounts.length === 1);
    socket.destroy();
    await until(() => mounts.length === 2);
    expect(mounts).toEqual(["+id-a", "-id-a"]);
  });
});
