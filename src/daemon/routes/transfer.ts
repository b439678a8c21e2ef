import { freed } from "../../engine/index.js";
import { Forbidden, NotImplemented, parseRegistryAuth, Unauthorized } from "../../spec/index.js";
import { type Answer, bytes } from "../http/answer.js";
import type { Call } from "../http/call.js";
import { messages } from "../http/messages.js";
import type { Routes, Served } from "../served.js";

/** Images as archives, in and out. @see engine-api 4.6 to 4.9 */
export function transferRoutes({ images }: Served): Routes {
  return [
    ["GET /images/get", (call) => save(images, call.query.list("names"), call)],
    ["GET /images/{name*}/get", (call) => save(images, [call.param("name")], call)],
    ["POST /images/load", (call) => load(images, call)],
    ["POST /images/create", (call) => create(images, call)],
  ];
}

async function save(images: Served["images"], names: string[], { signal }: Call): Promise<Answer> {
  return bytes(await images.save(names, { signal }), "application/x-tar");
}

/** Always answers 200; what goes wrong is told in the stream. */
function load(images: Served["images"], { body, query, signal }: Call): Answer {
  return messages(images.load(freed(body), { quiet: query.flag("quiet"), signal }), { atOnce: true });
}

function create(images: Served["images"], call: Call): Answer {
  const source = call.query.text("fromSrc");
  if (source === "-") return importTar(images, call);
  if (source === undefined) return pull(images, call);
  throw new NotImplemented("importing from a URL is not implemented; fetch it and import it from standard input");
}

/** A failure after the first message is told in the stream. A name without tag or digest asks for all tags. */
function pull(images: Served["images"], call: Call): Answer {
  const { query, signal } = call;
  const [tag, platform] = [query.text("tag"), query.text("platform")];
  const credentials = parseRegistryAuth(call.header("X-Registry-Auth"));
  const options = { ...(tag && { tag }), ...(platform && { platform }), ...(credentials && { credentials }) };
  return messages(unasked(images.pull(call.required("fromImage"), { ...options, all: true, signal })));
}

/** Told 401, the docker command asks for a password and waits for it, in scripts as well; dockerd never says so here. */
async function* unasked<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    throw error instanceof Unauthorized ? new Forbidden(error.message, { cause: error }) : error;
  }
}

function importTar(images: Served["images"], { body, query, signal }: Call): Answer {
  const given = ["repo", "tag", "message", "platform"] as const;
  const named = Object.fromEntries(given.flatMap((key) => (query.text(key) ? [[key, query.text(key)]] : [])));
  return messages(images.import(body, { ...named, changes: query.list("changes"), signal }));
}
