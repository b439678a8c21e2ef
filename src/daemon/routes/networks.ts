import type { Networks } from "../../engine/index.js";
import { Forbidden, NotImplemented } from "../../spec/index.js";
import { json } from "../http/answer.js";
import type { Call } from "../http/call.js";
import { parseFilters } from "../http/filters.js";
import type { Routes, Served } from "../served.js";

/** The networks every Docker has; there are no others. @see engine-api 6.3 */
export function networkRoutes({ networks }: Served): Routes {
  return [
    ["GET /networks", ({ query }) => json(networks.list({ filters: parseFilters(query.text("filters")) }))],
    ["POST /networks/prune", () => json({ NetworksDeleted: [] })],
    ["POST /networks/create", () => notYet()],
    ["GET /networks/{name}", (call) => json(networks.inspect(call.param("name")))],
    ["DELETE /networks/{name}", (call) => remove(networks, call)],
    ["POST /networks/{name}/connect", () => notYet()],
    ["POST /networks/{name}/disconnect", () => notYet()],
  ];
}

function remove(networks: Networks, call: Call): never {
  const { Name } = networks.inspect(call.param("name"));
  throw new Forbidden(`${Name} is a pre-defined network and cannot be removed`);
}

function notYet(): never {
  throw new NotImplemented("networks beside bridge, host and none are not implemented");
}
