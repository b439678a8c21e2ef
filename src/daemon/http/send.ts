import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { recycle } from "../../engine/index.js";
import { goJSON, messageOf } from "../../spec/index.js";
import { type Answer, jsonType } from "./answer.js";
import { statusOf } from "./status.js";

/** Writes an answer, at the pace the client reads it. Rejects with what the stream failed with, once that is sent. */
export async function send(answer: Answer, response: ServerResponse, signal: AbortSignal): Promise<void> {
  if (answer.stream) return await sendStream({ ...answer, stream: answer.stream }, response, signal);
  const text = answer.text ?? "";
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(answer.status !== 204 && answer.status !== 304 && { "Content-Length": Buffer.byteLength(text) }),
  });
  await end(response, signal, text);
}

/** The error body every client knows: `{"message":…}`. A HEAD gets the same headers without it. */
export function errorAnswer(error: unknown): Answer {
  const status = statusOf(error);
  if (status === 304) return { status };
  const text = `${goJSON({ message: messageOf(error) })}\n`;
  return { status, headers: { "Content-Type": jsonType }, text };
}

async function sendStream(
  answer: Answer & { stream: AsyncIterable<Uint8Array | string> },
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const begin = () => {
    response.writeHead(answer.status, answer.headers);
    response.flushHeaders();
  };
  if (answer.atOnce) begin();
  try {
    for await (const piece of answer.stream) {
      signal.throwIfAborted();
      if (!response.headersSent) begin();
      if (response.write(piece)) continue;
      await once(response, "drain", { signal });
      // The kernel has it: a large piece is made in the same memory as the one before.
      if (typeof piece !== "string") recycle(piece);
    }
    if (!response.headersSent) begin();
  } catch (error) {
    if (response.headersSent) await cutShort(answer, response, signal, signal.aborted ? signal.reason : error);
    throw error;
  }
  await end(response, signal);
}

async function cutShort(answer: Answer, response: ServerResponse, signal: AbortSignal, error: unknown): Promise<void> {
  if (answer.lastWords && !response.destroyed) await end(response, signal, answer.lastWords(error));
  else response.destroy();
}

/** Resolves when all is handed to the kernel, or nobody is there to read it. */
async function end(response: ServerResponse, signal: AbortSignal, text = ""): Promise<void> {
  if (response.closed) return;
  const closed = once(response, "close");
  const giveUp = () => response.destroy();
  signal.addEventListener("abort", giveUp);
  response.end(text);
  await closed;
  signal.removeEventListener("abort", giveUp);
}
