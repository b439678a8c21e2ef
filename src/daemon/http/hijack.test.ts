import { once } from "node:events";
import type { Socket } from "node:net";
import { type Duplex, duplexPair } from "node:stream";
import { describe, expect, test } from "vitest";
import { until } from "../../../test/oracle/until.js";
import { Conflict } from "../../spec/index.js";
import { Rig } from "../fake-engine.test.helper.js";

/** A daemon with one process that can be attached to, and its end of the streams. */
async function openProcess({ tty = false } = {}) {
  const [stream, process] = duplexPair();
  const rig = await Rig.open({ processes: { attach: { tty, stream } }, execs: { start: { tty, stream } } });
  return { rig, stream, process, [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose]() };
}

const upgrade = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
const attach = (path = "/containers/c/attach?stream=1&stdin=1&stdout=1") =>
  `POST ${path} HTTP/1.1\r\n${upgrade}Content-Length: 0\r\n\r\n`;

/** What comes until the empty line after the head; what follows stays to be read. */
async function headFrom(socket: Socket): Promise<string> {
  let text = "";
  while (!text.endsWith("\r\n\r\n")) {
    const byte: Buffer | null = socket.read(1);
    if (byte) text += byte.toString("latin1");
    else if (socket.readableEnded) throw new Error(`no head: ${text}`);
    else await once(socket, "readable");
  }
  return text;
}

/** All there is to read. The way back stays open. */
async function textOf(stream: Duplex): Promise<string> {
  let text = "";
  stream.on("data", (chunk) => {
    text += chunk;
  });
  await once(stream, "end");
  return text;
}

describe("a connection handed over to a process", () => {
  test("is switched by a 101, carries raw bytes both ways, and is closed after the last", async () => {
    await using it = await openProcess();
    const socket = await it.rig.raw();
    socket.write(attach());
    const head = (await headFrom(socket)).split("\r\n");
    expect(head.slice(0, 3)).toEqual(["HTTP/1.1 101 UPGRADED", "Connection: Upgrade", "Upgrade: tcp"]);
    expect(head).toContain("Content-Type: application/vnd.docker.multiplexed-stream");
    socket.end("typed");
    expect(await textOf(it.process)).toBe("typed");
    it.process.write("still ");
    it.process.end("here");
    expect(await textOf(socket)).toBe("still here");
    await until(() => it.stream.destroyed);
    expect(it.rig.seen[0]).toEqual([
      "processes.attach",
      "c",
      { stdin: true, stdout: true, stderr: false, logs: false, stream: true },
    ]);
  });

  test.for([
    ["/v1.41/containers/c/attach", false, "raw"],
    ["/v1.42/containers/c/attach", false, "multiplexed"],
    ["/containers/c/attach", true, "raw"],
  ] as const)("POST %s with tty %s is of type %s-stream", async ([path, tty, kind]) => {
    await using it = await openProcess({ tty });
    const socket = await it.rig.raw();
    socket.write(attach(path));
    expect(await headFrom(socket)).toContain(`Content-Type: application/vnd.docker.${kind}-stream\r\n`);
    socket.destroy();
  });

  test("without Upgrade is answered by a 200 without length, and takes input too", async () => {
    await using it = await openProcess();
    const socket = await it.rig.raw();
    const body = '{"stream":true}';
    socket.write(
      `POST /containers/c/attach?stdin=1 HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const head = await headFrom(socket);
    expect(head).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(head).not.toMatch(/content-length|transfer-encoding/i);
    socket.end("GET / HTTP/1.1\r\n\r\n");
    expect(await textOf(it.process)).toBe("GET / HTTP/1.1\r\n\r\n");
    it.process.end("bye");
    expect(await textOf(socket)).toBe("bye");
  });

  test.for([[100], [55, 60], [3, 40, 57, 78]])(
    "body and input are told apart, sent in pieces after %s bytes",
    async (cuts) => {
      await using it = await openProcess();
      const socket = await it.rig.raw();
      const body = '{"Detach":false,"Tty":true}';
      const head = `POST /exec/x/start HTTP/1.1\r\n${upgrade}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
      const all = `${head}${body}input`;
      let sent = 0;
      for (const cut of cuts) {
        socket.write(all.slice(sent, head.length - 50 + cut));
        sent = head.length - 50 + cut;
        await new Promise(setImmediate);
      }
      socket.end(all.slice(sent));
      expect(await textOf(it.process)).toBe("input");
      expect(it.rig.seen[0]).toEqual(["execs.start", "x", { detach: false, tty: true }]);
      it.process.end();
      await headFrom(socket);
      expect(await textOf(socket)).toBe("");
    },
  );

  test("is refused by ordinary answers", async () => {
    const refuse = () => Promise.reject(new Conflict("Container c is paused"));
    await using rig = await Rig.open({ processes: { attach: refuse } });
    for (const [path, status, message] of [
      ["/containers/c/attach", 409, "Container c is paused"],
      ["/exec/x/start", 404, "No such exec: x"],
      ["/nothing", 404, "page not found"],
      ["/containers/c/attach/ws", 404, "page not found"],
    ] as const) {
      const socket = await rig.raw();
      socket.write(attach(path));
      const answer = await textOf(socket);
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(answer).toContain(`\r\nContent-Type: application/json\r\n`);
      expect(answer.endsWith(`\r\n\r\n{"message":"${message}"}\n`)).toBe(true);
    }
  });

  test("is let go by a client that hangs up, whether it was heard or not", async () => {
    for (const input of ["", "some"]) {
      await using it = await openProcess();
      const socket = await it.rig.raw();
      socket.write(attach() + input);
      await headFrom(socket);
      socket.destroy();
      await until(() => it.process.readableEnded || it.stream.writableEnded);
      it.process.write("to nobody");
      await until(() => it.stream.destroyed);
    }
  });

  test("ends without a reset for a client whose input nobody took", async () => {
    await using it = await openProcess();
    const socket = await it.rig.raw();
    socket.write(attach());
    await headFrom(socket);
    socket.write(Buffer.alloc(1024 * 1024));
    it.process.end("the end");
    expect(await textOf(socket)).toBe("the end");
  });

  test("is cut when the daemon closes, and left alone while it drains", async () => {
    await using it = await openProcess();
    const socket = await it.rig.raw();
    socket.write(attach());
    await headFrom(socket);
    void it.rig.daemon.drain();
    it.process.write("goes on");
    await once(socket, "readable");
    expect(String(socket.read())).toBe("goes on");
    await it.rig.close(60_000);
    expect(it.stream.destroyed).toBe(true);
    expect(await textOf(socket)).toBe("");
  });

  test("moves as fast as the slower end, and loses nothing", async () => {
    await using it = await openProcess();
    const socket = await it.rig.raw();
    socket.write(attach());
    await headFrom(socket);
    const size = 64 * 1024 * 1024;
    const chunk = Buffer.alloc(64 * 1024, 7);
    it.process.pipe(it.process);
    const passed = { sent: 0, got: 0 };
    const sending = (async () => {
      for (; passed.sent < size; passed.sent += chunk.length) if (!socket.write(chunk)) await once(socket, "drain");
      socket.end();
    })();
    await until(() => passed.sent > 0 && socket.writableNeedDrain);
    expect(passed.sent).toBeLessThan(32 * chunk.length);
    for await (const piece of socket) passed.got += piece.length;
    await sending;
    expect(passed).toEqual({ sent: size, got: size });
  });
});
