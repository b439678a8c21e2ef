import { once } from "node:events";
import { request } from "node:http";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { until } from "../../../test/oracle/until.js";
import { InvalidParameter } from "../../spec/index.js";
import { Rig } from "../fake-engine.test.helper.js";

describe("streams", () => {
  const messages = (...list: object[]) =>
    async function* () {
      yield* list;
    };

  test("messages end with CR LF, under the exact content type", async () => {
    await using rig = await Rig.open({ images: { load: messages({ status: "a" }, { stream: "b\n" }) } });
    const answer = await rig.ask("POST", "/images/load?quiet=1", { body: "tar" });
    expect(answer.text).toBe('{"status":"a"}\r\n{"stream":"b\\n"}\r\n');
    expect(answer.headers["content-type"]).toBe("application/json");
  });

  test("each message is sent when it is there, not when the next one is", async () => {
    const step = new EventTarget();
    await using rig = await Rig.open({
      images: {
        load: async function* () {
          yield { status: "first" };
          await once(step, "go");
          yield { status: "second" };
        },
      },
    });
    const got: string[] = [];
    const answered = new Promise<void>((resolve) => {
      request({ socketPath: rig.socket, method: "POST", path: "/images/load" }, (answer) => {
        answer.on("data", (chunk) => got.push(String(chunk))).on("end", resolve);
      }).end("x");
    });
    await until(() => got.length === 1);
    step.dispatchEvent(new Event("go"));
    await answered;
    expect(got).toEqual(['{"status":"first"}\r\n', '{"status":"second"}\r\n']);
  });

  test("a failed load is 200 with errorDetail and error in the stream, from the first message on", async () => {
    await using rig = await Rig.open({
      images: {
        load: failing(new InvalidParameter("no tar")),
      },
    });
    const answer = await rig.ask("POST", "/images/load", { body: "x" });
    expect([answer.status, answer.text]).toEqual([200, '{"errorDetail":{"message":"no tar"},"error":"no tar"}\r\n']);
  });

  test("an import that fails before its first message is an HTTP error, after it a message", async () => {
    const early = failing(new InvalidParameter("no tar"));
    const late = async function* () {
      yield { status: "x" };
      throw new InvalidParameter("torn");
    };
    for (const [imported, status, text] of [
      [early, 400, '{"message":"no tar"}\n'],
      [late, 200, '{"status":"x"}\r\n{"errorDetail":{"message":"torn"},"error":"torn"}\r\n'],
    ] as const) {
      await using rig = await Rig.open({ images: { import: imported } });
      const answer = await rig.ask("POST", "/images/create?fromSrc=-&repo=a:1&changes=CMD%20a&changes=ENV%20b%3Dc", {
        body: "x",
      });
      expect([answer.status, answer.text]).toEqual([status, text]);
      expect(rig.seen[0]?.[2]).toMatchObject({ repo: "a:1", changes: ["CMD a", "ENV b=c"] });
    }
  });

  test("an archive that fails midway is cut off, so that nobody takes it for whole", async () => {
    await using rig = await Rig.open({
      images: {
        save: async function* () {
          yield Buffer.from("some");
          throw new Error("disk");
        },
      },
    });
    await expect(rig.ask("GET", "/images/get?names=a&names=b")).rejects.toThrow(/aborted|hang up/);
    expect((await rig.ask("GET", "/layerkit/failures/1")).json).toEqual({ message: "disk" });
    expect((await rig.ask("GET", "/layerkit/failures/2")).status).toBe(404);
    expect(rig.seen[0]?.[1]).toEqual(["a", "b"]);
  });

  test("an archive of what is not there is 404 before any byte", async () => {
    await using rig = await Rig.open();
    expect((await rig.ask("GET", "/images/a/get")).status).toBe(404);
  });

  test("event headers are sent though nothing happens", async () => {
    await using rig = await Rig.open({ events: { read: silence } });
    const asked = request({ socketPath: rig.socket, path: "/events" }).end();
    const [answer] = await once(asked, "response");
    expect(answer.headers["content-type"]).toBe("application/json");
    asked.on("error", () => {}).destroy();
  });

  test("bodies of any size pass through at the pace of the slower end, in both directions", async () => {
    const size = 256 * 1024 * 1024;
    const few = 8 * 1024 * 1024;
    const passed = { given: 0, got: 0, sent: 0, taken: 0 };
    await using rig = await Rig.open({
      images: {
        save: async function* () {
          const chunk = Buffer.alloc(1024 * 1024, 7);
          for (; passed.given < size; passed.given += chunk.length) yield chunk;
        },
        load: async function* (body: AsyncIterable<Uint8Array>) {
          for await (const piece of body) {
            await setImmediate();
            passed.taken += piece.length;
          }
          yield {};
        },
      },
    });
    const saved = request({ socketPath: rig.socket, path: "/images/get?names=a" }).end();
    const upload = request({ socketPath: rig.socket, method: "POST", path: "/images/load" });
    const loaded = once(upload, "response");
    const [answer] = await once(saved, "response");
    for await (const piece of answer) {
      passed.got += piece.length;
      expect(passed.given - passed.got).toBeLessThan(few);
      if (!upload.write(piece)) await once(upload, "drain");
      passed.sent += piece.length;
      expect(passed.sent - passed.taken).toBeLessThan(few);
    }
    upload.end();
    await once((await loaded)[0].resume(), "end");
    expect(passed).toEqual({ given: size, got: size, sent: size, taken: size });
  });

  test("who gives up reading the body early still gets the answer, and the connection lives on", async () => {
    await using rig = await Rig.open({
      containers: {
        extract: async () => {
          throw new InvalidParameter("not a tar");
        },
      },
    });
    const big = "x".repeat(3_000_000);
    for (let round = 0; round < 2; round += 1) {
      const answer = await rig.ask("PUT", "/containers/c/archive?path=/&noOverwriteDirNonDir=", { body: big });
      expect([answer.status, answer.json]).toEqual([400, { message: "not a tar" }]);
    }
    expect(rig.seen[0]?.[4]).toMatchObject({ noOverwriteDirNonDir: false, copyUIDGID: false });
  });
});

/** Events that never come, until the reader goes. */
async function* silence({ signal }: { signal: AbortSignal }): AsyncIterable<object> {
  await once(signal, "abort");
  if (!signal.aborted) yield {};
}

/** A stream that fails before its first piece. */
function failing(error: Error) {
  return async function* (): AsyncIterable<object> {
    if (error) throw error;
    yield {};
  };
}

describe("clients that go away", () => {
  test("a client that hangs up in the middle of an upload aborts the load", async () => {
    let reason: unknown;
    await using rig = await Rig.open({
      images: {
        load: async function* (body: AsyncIterable<Uint8Array>, { signal }: { signal: AbortSignal }) {
          signal.addEventListener("abort", () => {
            reason = signal.reason;
          });
          for await (const _ of body) yield { status: "some" };
        },
      },
    });
    const socket = await rig.raw();
    socket.write("POST /images/load HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nsome bytes");
    await once(socket, "data");
    socket.destroy();
    await until(() => reason !== undefined);
    expect(reason).toMatchObject({ code: "cancelled" });
  });

  test("a client that hangs up while it is served aborts the operation", async () => {
    let signal: AbortSignal | undefined;
    await using rig = await Rig.open({
      events: {
        read: (options: { signal: AbortSignal }) => {
          signal = options.signal;
          return silence(options);
        },
      },
    });
    const socket = await rig.raw();
    socket.write("GET /events HTTP/1.1\r\n\r\n");
    await once(socket, "data");
    socket.end();
    await until(() => signal?.aborted === true);
  });
});
