import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { finished } from "node:stream/promises";
import type { Answer } from "./answer.js";
import { type Exchange, exactly } from "./exchange.js";

/** How long a client may take to hang up after the last byte. */
const lingerMs = 2000;

/**
 * A request that asks to upgrade: Node gives it without a response, its body at the front of `head` or still to come.
 * Whatever is answered, the connection ends with it.
 */
export function upgradeExchange(request: IncomingMessage, socket: Socket, head: Uint8Array): Exchange {
  if (head.length > 0) socket.unshift(head);
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  socket.on("drain", () => response.emit("drain"));
  response.once("finish", () => hangUp(socket));
  return { request, response, body: exactly(socket, Number(request.headers["content-length"] ?? 0)) };
}

/**
 * Hands the connection over to the answer's stream: raw bytes both ways, each way ending on its own, after a 101 for
 * who asked to upgrade, else a 200 that has no length. Resolves when the client has all that the stream gave, or is
 * gone; the stream is destroyed then.
 *
 * @throws what the stream failed with
 * @see engine-api 2.1
 */
export async function hijack(answer: Answer & { hijack: Duplex }, exchange: Exchange, signal: AbortSignal) {
  const stream = answer.hijack;
  try {
    // What is left of the request is no input of the stream: dockerode sends its options.
    for await (const _ of exchange.body);
    signal.throwIfAborted();
    const { request, response } = exchange;
    const socket = seize(request.socket, response);
    socket.write(headOf(answer, request, response));
    await join(socket, stream, signal);
  } finally {
    stream.destroy();
  }
}

/** Takes a connection from HTTP: what comes on it from now on is nobody's but the caller's. */
function seize(socket: Socket, response: ServerResponse): Socket {
  response.detachSocket(socket);
  response.destroy();
  socket.once("close", () => response.emit("close"));
  const nothing = () => {};
  // Somebody who wants to read it makes Node's parser, which reads beneath the socket, give it back.
  socket.on("readable", nothing);
  for (const event of ["data", "end", "drain", "timeout"]) socket.removeAllListeners(event);
  socket.off("readable", nothing);
  return socket;
}

function headOf({ headers = {} }: Answer, request: IncomingMessage, response: ServerResponse): string {
  const fields = Object.entries({ ...headers, ...response.getHeaders() }).map(([name, value]) => `${name}: ${value}`);
  const start = request.headers.upgrade
    ? ["HTTP/1.1 101 UPGRADED", "Connection: Upgrade", "Upgrade: tcp"]
    : ["HTTP/1.1 200 OK"];
  return `${[...start, ...fields].join("\r\n")}\r\n\r\n`;
}

async function join(socket: Socket, stream: Duplex, signal: AbortSignal): Promise<void> {
  const gone = new Promise((resolve) => socket.once("close", resolve));
  const cut = () => socket.destroy();
  signal.addEventListener("abort", cut);
  socket.pipe(stream).pipe(socket);
  try {
    await Promise.race([finished(stream, { writable: false }), gone]);
  } finally {
    socket.unpipe(stream);
    hangUp(socket);
    await gone;
    signal.removeEventListener("abort", cut);
  }
}

/**
 * Ends a connection without loss: closed while bytes of the client lie unread, it would be reset, and the client told
 * so instead of the end.
 */
function hangUp(socket: Socket): void {
  socket.resume();
  socket.once("end", () => socket.destroySoon());
  socket.end(() => {
    if (socket.readableEnded) socket.destroy();
    else setTimeout(() => socket.destroy(), lingerMs).unref();
  });
}
