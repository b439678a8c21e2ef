import type { EventMessage } from "../../engine/index.js";
import { json } from "../http/answer.js";
import type { Call } from "../http/call.js";
import { parseFilters } from "../http/filters.js";
import { feed } from "../http/messages.js";
import { apiVersion, minApiVersion } from "../http/version.js";
import type { Log } from "../log.js";
import type { Routes, Served } from "../served.js";

const uncached = { "Cache-Control": "no-cache, no-store, must-revalidate", Pragma: "no-cache" };
const pong = { ...uncached, "Builder-Version": "1", Swarm: "inactive", "Content-Type": "text/plain; charset=utf-8" };

/** Ping, version, info, disk usage and events. @see engine-api 1.2, 2.5, 4.1, 4.2, 4.19 */
export function systemRoutes(engine: Served, { log }: { readonly log: Log }): Routes {
  return [
    ["HEAD /_ping", () => ({ status: 200, headers: pong })],
    ["GET /_ping", () => ({ status: 200, headers: pong, text: "OK" })],
    ["GET /version", () => json(versionOf(engine))],
    ["GET /info", async () => json({ ...(await engine.info()), Debug: log.debugging })],
    ["GET /system/df", async (call) => json(await diskUsage(engine, call))],
    ["GET /events", (call) => feed(events(engine, call))],
  ];
}

function versionOf(engine: Served) {
  const version = engine.version();
  const api = { ApiVersion: apiVersion, MinAPIVersion: minApiVersion };
  const [own, ...others] = version.Components;
  const components = own ? [{ ...own, Details: { ...own.Details, ...api } }, ...others] : [];
  return { ...version, ...api, Components: components };
}

const kinds = { Images: "image", Containers: "container", Volumes: "volume", BuildCache: "build-cache" };

/** From API 1.42 on `type` says which kinds are wanted; the others are left out. */
async function diskUsage(engine: Served, call: Call) {
  const { BuilderSize, ...usage } = await engine.diskUsage();
  const wanted = call.version >= 42 ? call.query.list("type") : [];
  const unwanted = (key: string) => wanted.length > 0 && !wanted.includes(kinds[key as keyof typeof kinds] ?? "image");
  const kept = Object.entries(usage).filter(([key]) => !unwanted(key));
  return { ...Object.fromEntries(kept), ...(call.version < 42 && { BuilderSize }) };
}

/** What is wrong with the request shows before the stream begins. */
function events(engine: Served, call: Call): AsyncIterable<EventMessage> {
  const sinceNs = call.query.timeNs("since");
  const untilNs = call.query.timeNs("until");
  return engine.events.read({
    ...(sinceNs !== undefined && { sinceNs }),
    ...(untilNs !== undefined && { untilNs }),
    filters: parseFilters(call.query.text("filters")),
    signal: AbortSignal.any([call.signal, call.leaving]),
  });
}
