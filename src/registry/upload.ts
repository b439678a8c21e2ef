import { DataLoss, type Digest, Digester, InvalidParameter, NotFound } from "../spec/index.js";
import type { Endpoint, EndpointRequest } from "./endpoint.js";
import type { Answer } from "./exchange.js";
import { locationOf } from "./follow.js";
import { Attempts, Passing } from "./passing.js";
import type { Shared } from "./shared.js";

export interface Upload {
  readonly endpoint: Endpoint;
  readonly shared: Shared;
  /** The repository's path. */
  readonly path: string;
  readonly scopes: readonly string[];
  /** Uploads that have begun and carry nothing yet; taken from. */
  readonly begun: URL[];
  /** The same bytes each time. */
  readonly open: () => AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((sent: number) => void) | undefined;
  readonly onRetry: ((why: Error, delayMs: number) => void) | undefined;
}

export interface Sent {
  readonly digest: Digest;
  readonly size: number;
}

/** Where an upload that has begun goes on, and how many bytes the registry has of it. */
interface Session {
  readonly at: URL;
  readonly has: number;
}

/** A blob that is known, in one request; from the start again when that fails. */
export async function uploadKnown(upload: Upload, blob: Sent): Promise<Sent> {
  return await untilSent(upload, async () => {
    const { at } = await begin(upload);
    const headers = { ...octets, "content-length": `${blob.size}` };
    const body = () => told(upload, 0, upload.open());
    await finish(upload.endpoint.once({ ...request(upload, "PUT", withDigest(at, blob.digest)), headers, body }));
    return blob;
  });
}

/**
 * A blob that is hashed and counted on its way: as one stream, and then its digest. After a cut it goes on where the
 * registry says that it ended, and from the start where the registry knows nothing of it any more.
 */
export async function uploadStream(upload: Upload): Promise<Sent> {
  let session: Session | undefined;
  return await untilSent(upload, async () => {
    session = (session && (await whereItIs(upload, session))) ?? (await begin(upload));
    const { at, has } = session;
    const counted = new Counted();
    const body = () => told(upload, has, counted.from(upload.open(), has));
    const answer = await upload.endpoint.once({ ...request(upload, "PATCH", at), headers: octets, body });
    await answer.discard();
    const sent = counted.sent();
    const last = withDigest(nextPlace(answer), sent.digest);
    session = undefined;
    await finish(upload.endpoint.request({ ...request(upload, "PUT", last), headers: { "content-length": "0" } }));
    return sent;
  });
}

const octets = { "content-type": "application/octet-stream" };

function request({ scopes, signal }: Upload, method: EndpointRequest["method"], to: string | URL): EndpointRequest {
  return { method, to, scopes, signal };
}

async function finish(answer: Promise<Answer>): Promise<void> {
  await (await answer).discard();
}

/** Does it again after a failure that may pass. */
async function untilSent(upload: Upload, send: () => Promise<Sent>): Promise<Sent> {
  const attempts = new Attempts(upload.shared, upload);
  for (;;) {
    try {
      return await send();
    } catch (error) {
      const failure = isForgotten(error) ? new Passing(error.message, { cause: error }) : error;
      await attempts.afterFailure(failure, upload.onRetry);
    }
  }
}

/** Whether the registry has lost the upload that was going on. */
function isForgotten(error: unknown): error is NotFound {
  return error instanceof NotFound && error.message.startsWith("blob upload");
}

async function begin(upload: Upload): Promise<Session> {
  const at = upload.begun.pop();
  if (at) return { at, has: 0 };
  const to = `v2/${upload.path}/blobs/uploads/`;
  const answer = await upload.endpoint.request({
    ...request(upload, "POST", to),
    headers: { "content-length": "0" },
  });
  await answer.discard();
  return { at: nextPlace(answer), has: 0 };
}

/** Where the upload stands after a failure; undefined when it is gone. */
async function whereItIs(upload: Upload, { at }: Session): Promise<Session | undefined> {
  try {
    const answer = await upload.endpoint.once(request(upload, "GET", at));
    await answer.discard();
    const [, last] = /^(?:bytes=)?0-(\d+)$/.exec(answer.header("range") ?? "") ?? [];
    // "0-0" is what registries say of nothing, and of one byte.
    return { at: locationOf(answer) ?? at, has: last === undefined || last === "0" ? 0 : Number(last) + 1 };
  } catch (error) {
    if (error instanceof NotFound || error instanceof InvalidParameter) return undefined;
    throw error;
  }
}

function nextPlace(answer: Answer): URL {
  const place = locationOf(answer);
  if (place === undefined) throw new DataLoss(`${answer.url.host} does not say where an upload goes on`);
  return place;
}

function withDigest(place: URL, digest: Digest): URL {
  const url = new URL(place);
  url.searchParams.append("digest", digest);
  return url;
}

/** Bytes hashed and counted as they pass, those that a registry has already too. */
class Counted {
  #digester = new Digester();
  #size = 0;
  #ended = false;

  async *from(bytes: AsyncIterable<Uint8Array>, skip: number): AsyncGenerator<Uint8Array> {
    [this.#digester, this.#size, this.#ended] = [new Digester(), 0, false];
    for await (const chunk of bytes) {
      const known = Math.max(0, skip - this.#size);
      this.#digester.update(chunk);
      this.#size += chunk.length;
      if (known < chunk.length) yield chunk.subarray(known);
    }
    this.#ended = true;
  }

  /** All of them. @throws Passing: they did not all pass */
  sent(): Sent {
    if (!this.#ended) throw new Passing("the registry answered before it had everything");
    return { digest: this.#digester.digest(), size: this.#size };
  }
}

async function* told(
  { onProgress }: Upload,
  has: number,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let sent = has;
  for await (const chunk of bytes) {
    yield chunk;
    sent += chunk.length;
    onProgress?.(sent);
  }
}
