import type { ContainerCreateBody, Containers } from "../../engine/index.js";
import { InvalidParameter, NotFound, type RunConfig } from "../../spec/index.js";
import { type Answer, bytes, done, json, jsonList } from "../http/answer.js";
import type { Call } from "../http/call.js";
import { parseFilters } from "../http/filters.js";
import { anyObject, type Shape } from "../http/shape.js";
import type { Routes, Served } from "../served.js";

/** Read by the engine, which knows every field of them and matches keys without regard to case. */
const createBody = anyObject as Shape<ContainerCreateBody>;
const runConfig = anyObject as Shape<RunConfig>;

/** Containers at rest: create, look, rename, remove, diff, export, commit. @see engine-api 4.11 to 4.18 */
export function containerRoutes(engine: Served): Routes {
  const { containers } = engine;
  return [
    ["GET /containers/json", (call) => list(containers, call)],
    ["POST /containers/create", (call) => create(engine, call)],
    ["GET /containers/{id}/json", (call) => inspect(containers, call)],
    ["POST /containers/{id}/rename", (call) => rename(containers, call)],
    ["DELETE /containers/{id}", (call) => remove(containers, call)],
    ["GET /containers/{id}/changes", async (call) => jsonList(await containers.changes(call.param("id")))],
    ["GET /containers/{id}/export", (call) => exportTar(containers, call)],
    ["POST /commit", (call) => commit(containers, call)],
  ];
}

async function list(containers: Containers, { query }: Call): Promise<Answer> {
  const limit = query.integer("limit");
  const options = { all: query.flag("all"), size: query.flag("size"), ...(limit !== undefined && { limit }) };
  return json(await containers.list({ ...options, filters: parseFilters(query.text("filters")) }));
}

async function create(engine: Served, call: Call): Promise<Answer> {
  const body = await call.json(createBody);
  if (!body) throw new InvalidParameter("Config cannot be empty in order to create a container");
  const platform = call.query.text("platform");
  if (platform !== undefined) await checkPlatform(engine, body, platform);
  const name = call.query.text("name");
  const flatReadOnly = call.version < 44;
  const options = { ...(name !== undefined && { name }), ...(flatReadOnly && { flatReadOnly }), signal: call.signal };
  return json(await engine.containers.create(body, options), 201);
}

/** An image of another platform counts as missing, so that the docker command tries to pull the right one. */
async function checkPlatform({ images }: Served, body: ContainerCreateBody, wanted: string): Promise<void> {
  const name = Object.entries(body).find(([key]) => key.toLowerCase() === "image")?.[1];
  if (typeof name !== "string" || name === "") return;
  const { Os, Architecture, Variant = "" } = await images.inspect(name);
  const [os, architecture, variant] = wanted.split("/");
  const fits = [
    os === Os,
    architecture === undefined || architecture === Architecture,
    !variant || variant === Variant,
  ];
  if (!fits.every(Boolean)) {
    const actual = [Os, Architecture, Variant].filter(Boolean).join("/");
    throw new NotFound(`image with reference ${name} does not match the platform: wanted ${wanted}, it is ${actual}`);
  }
}

async function inspect(containers: Containers, call: Call): Promise<Answer> {
  return json(await containers.inspect(call.param("id"), { size: call.query.flag("size") }));
}

async function rename(containers: Containers, call: Call): Promise<Answer> {
  await containers.rename(call.param("id"), call.query.text("name") ?? "");
  return done();
}

async function remove(containers: Containers, call: Call): Promise<Answer> {
  const { query } = call;
  const options = { force: query.flag("force"), volumes: query.flag("v"), link: query.flag("link") };
  await containers.remove(call.param("id"), options);
  return done();
}

async function exportTar(containers: Containers, call: Call): Promise<Answer> {
  return bytes(await containers.export(call.param("id"), { signal: call.signal }), "application/octet-stream");
}

async function commit(containers: Containers, call: Call): Promise<Answer> {
  const container = call.required("container");
  const config = await call.json(runConfig);
  const given = ["repo", "tag", "comment", "author"] as const;
  const named = Object.fromEntries(given.flatMap((key) => (call.query.text(key) ? [[key, call.query.text(key)]] : [])));
  const changes = call.query.list("changes");
  const pause = call.query.flag("pause", true);
  const options = { ...named, changes, pause, ...(config && { config }), signal: call.signal };
  return json(await containers.commit(container, options), 201);
}
