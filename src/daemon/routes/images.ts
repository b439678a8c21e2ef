import type { ImageInspect, ImageSummary } from "../../engine/index.js";
import { done, json } from "../http/answer.js";
import type { Call } from "../http/call.js";
import { parseFilters } from "../http/filters.js";
import type { Routes, Served } from "../served.js";

/** Images by name: lists, inspect, history, tag, removal. @see engine-api 4.3, 4.4, 4.5, 4.10 */
export function imageRoutes({ images }: Served): Routes {
  return [
    ["GET /images/json", async (call) => json(await listImages(images, call))],
    [
      "GET /images/{name*}/json",
      async (call) => json(inspected(await images.inspect(call.param("name")), call.version)),
    ],
    ["GET /images/{name*}/history", async (call) => json(await images.history(call.param("name")))],
    ["POST /images/{name*}/tag", (call) => tag(images, call)],
    ["DELETE /images/{name*}", (call) => remove(images, call)],
  ];
}

async function listImages(images: Served["images"], { query, version }: Call): Promise<object[]> {
  const filters = { ...parseFilters(query.text("filters")) };
  // Before 1.25 one name could be given so.
  const name = query.text("filter");
  if (name !== undefined && version < 25) filters.reference = [...(filters.reference ?? []), name];
  const list = await images.list({
    all: query.flag("all"),
    sharedSize: version >= 42 && query.flag("shared-size"),
    filters,
  });
  return list.map((image) => listed(image, version));
}

/** An image of a list as clients of this API version expect it. @see engine-api 9 */
export function listed({ VirtualSize, ...image }: ImageSummary, version: number): object {
  const untagged = version < 43 && image.RepoTags.length === 0 && image.RepoDigests.length === 0;
  return {
    ...image,
    ...(untagged && { RepoTags: ["<none>:<none>"], RepoDigests: ["<none>@<none>"] }),
    ...(version < 44 && { VirtualSize }),
  };
}

function inspected({ VirtualSize, Container, ContainerConfig, ...image }: ImageInspect, version: number): object {
  return {
    ...image,
    ...(version < 45 && { Container, ContainerConfig }),
    ...(version < 44 && { VirtualSize }),
  };
}

async function tag(images: Served["images"], call: Call) {
  await images.tag(call.param("name"), call.required("repo"), call.query.text("tag"));
  return done(201);
}

async function remove(images: Served["images"], call: Call) {
  const options = { force: call.query.flag("force"), noprune: call.query.flag("noprune") };
  return json(await images.remove(call.param("name"), options));
}
