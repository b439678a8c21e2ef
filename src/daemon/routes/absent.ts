import { InvalidParameter, NotFound, NotImplemented, Unavailable } from "../../spec/index.js";
import { json } from "../http/answer.js";
import type { Handler } from "../http/call.js";
import type { Pattern } from "../http/router.js";
import type { Routes, Served } from "../served.js";

/**
 * Endpoints of Docker that this daemon does not offer, in the shapes that keep clients going: lookups that
 * `docker inspect` makes are 404, swarm is 503, the rest 501 with a line that says so. @see engine-api 6.6, 7
 */
export function absentRoutes(engine: Served): Routes {
  return [...checkpointRoutes(engine), ...otherRoutes, ...pluginRoutes, ...swarmRoutes];
}

/** An unknown container is still 404: clients tell it from a missing feature. */
function checkpointRoutes({ containers }: Served): Routes {
  const handler: Handler = async (call) => {
    await containers.inspect(call.param("id"));
    throw new NotImplemented("checkpoints are not implemented");
  };
  return [
    ["GET /containers/{id}/checkpoints", handler],
    ["POST /containers/{id}/checkpoints", handler],
  ];
}

const otherRoutes: Routes = [
  ["GET /images/search", absent("search")],
  ["POST /build", absent("build")],
  ["POST /build/cancel", absent("build")],
  ["POST /session", session],
];

function session(): never {
  throw new InvalidParameter("no session: building with BuildKit is not implemented");
}

const pluginRoutes: Routes = [
  ["GET /plugins", () => json([])],
  ["GET /plugins/{name*}/json", noPlugin],
  ["GET /plugins/privileges", absent("installing plugins")],
  ["POST /plugins/pull", absent("installing plugins")],
  ["POST /plugins/create", absent("installing plugins")],
  ["POST /plugins/{name*}/{action}", noPlugin],
  ["DELETE /plugins/{name*}", noPlugin],
];

function noPlugin(call: Parameters<Handler>[0]): never {
  throw new NotFound(`plugin ${JSON.stringify(call.param("name"))} not found`);
}

const swarmFamily = ["swarm", "services", "nodes", "tasks", "secrets", "configs"];

const swarmRoutes: Routes = swarmFamily.flatMap((word) =>
  (["GET", "POST", "DELETE"] as const).flatMap((method) =>
    [`${method} /${word}`, `${method} /${word}/{rest*}`].map((pattern) => [pattern as Pattern, noSwarm] as const),
  ),
);

function noSwarm(): never {
  throw new Unavailable(
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  );
}

function absent(what: string): Handler {
  return () => {
    throw new NotImplemented(`${what} is not implemented`);
  };
}
