import { parseRegistryAuth } from "../../spec/index.js";
import { type Answer, json } from "../http/answer.js";
import type { Call } from "../http/call.js";
import { messages } from "../http/messages.js";
import { object, text } from "../http/shape.js";
import type { Routes, Served } from "../served.js";

/** Push, login, and what a registry has. @see engine-api 6.2, 6.5, 6.6 */
export function registryRoutes(engine: Served): Routes {
  return [
    ["POST /images/{name*}/push", (call) => push(engine, call)],
    ["GET /distribution/{name*}/json", async (call) => json(await distribution(engine, call))],
    ["POST /auth", (call) => login(engine, call)],
  ];
}

/** What goes wrong after the first line, which needs no registry, is told in the stream. */
function push({ images }: Served, call: Call): Answer {
  const tag = call.query.text("tag");
  const credentials = parseRegistryAuth(call.header("X-Registry-Auth"));
  const options = { ...(tag && { tag }), ...(credentials && { credentials }), signal: call.signal };
  return messages(images.push(call.param("name"), options));
}

function distribution({ images }: Served, call: Call) {
  const credentials = parseRegistryAuth(call.header("X-Registry-Auth"));
  return images.distribution(call.param("name"), { ...(credentials && { credentials }), signal: call.signal });
}

const credentialsShape = object({
  username: text,
  password: text,
  serveraddress: text,
  identitytoken: text,
  registrytoken: text,
});

async function login(engine: Served, call: Call): Promise<Answer> {
  const { status, identityToken } = await engine.login((await call.json(credentialsShape)) ?? {}, call.signal);
  return json({ IdentityToken: identityToken, Status: status });
}
