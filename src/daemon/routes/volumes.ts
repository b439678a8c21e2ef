import type { VolumeCreateBody, Volumes } from "../../engine/index.js";
import { type Answer, done, json } from "../http/answer.js";
import type { Call } from "../http/call.js";
import { parseFilters } from "../http/filters.js";
import { map, object, type Shape, text } from "../http/shape.js";
import type { Routes, Served } from "../served.js";

const createBody: Shape<VolumeCreateBody> = object({
  Name: text,
  Driver: text,
  DriverOpts: map(text),
  Labels: map(text),
});

/** Volumes. @see engine-api 6.4 */
export function volumeRoutes({ volumes }: Served): Routes {
  return [
    ["GET /volumes", async ({ query }) => json(await volumes.list({ filters: parseFilters(query.text("filters")) }))],
    ["POST /volumes/create", async (call) => json(await volumes.create((await call.json(createBody)) ?? {}), 201)],
    ["POST /volumes/prune", (call) => prune(volumes, call)],
    ["GET /volumes/{name}", async (call) => json(await volumes.inspect(call.param("name")))],
    ["DELETE /volumes/{name}", (call) => remove(volumes, call)],
  ];
}

async function remove(volumes: Volumes, call: Call): Promise<Answer> {
  await volumes.remove(call.param("name"), { force: call.query.flag("force") });
  return done();
}

/** From API 1.42 on only anonymous volumes go, unless the filter `all` says otherwise. */
async function prune(volumes: Volumes, { query, version }: Call): Promise<Answer> {
  const { all = [], ...filters } = parseFilters(query.text("filters"));
  const everything = version < 42 || all.some((value) => ["1", "true"].includes(value.toLowerCase()));
  return json(await volumes.prune({ filters, anonymousOnly: !everything }));
}
