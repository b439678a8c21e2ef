import { json } from "../http/answer.js";
import { parseFilters } from "../http/filters.js";
import type { Routes, Served } from "../served.js";

/** Removal of what is unused. `docker system prune` calls all of these and stops at the first failure. */
export function pruneRoutes({ containers, images }: Served): Routes {
  return [
    [
      "POST /containers/prune",
      async ({ query }) => json(await containers.prune({ filters: parseFilters(query.text("filters")) })),
    ],
    [
      "POST /images/prune",
      async ({ query }) => json(await images.prune({ filters: parseFilters(query.text("filters")) })),
    ],
    ["POST /build/prune", () => json({ CachesDeleted: [], SpaceReclaimed: 0 })],
  ];
}
