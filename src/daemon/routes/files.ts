import { type Containers, freed, type PathStat } from "../../engine/index.js";
import { goJSON } from "../../spec/index.js";
import { type Answer, bytes, done } from "../http/answer.js";
import type { Call } from "../http/call.js";
import type { Routes, Served } from "../served.js";

/** Files into and out of containers, what `docker cp` uses. @see engine-api 4.17 */
export function fileRoutes({ containers }: Served): Routes {
  return [
    ["HEAD /containers/{id}/archive", (call) => stat(containers, call)],
    ["GET /containers/{id}/archive", (call) => archive(containers, call)],
    ["PUT /containers/{id}/archive", (call) => extract(containers, call)],
  ];
}

async function stat(containers: Containers, call: Call): Promise<Answer> {
  return { status: 200, headers: statHeader(await containers.stat(call.param("id"), call.required("path"))) };
}

async function archive(containers: Containers, call: Call): Promise<Answer> {
  const { stat, body } = await containers.archive(call.param("id"), call.required("path"), { signal: call.signal });
  return bytes(body, "application/x-tar", statHeader(stat));
}

async function extract(containers: Containers, call: Call): Promise<Answer> {
  const options = {
    noOverwriteDirNonDir: call.query.flag("noOverwriteDirNonDir"),
    copyUIDGID: call.query.flag("copyUIDGID"),
    signal: call.signal,
  };
  await containers.extract(call.param("id"), call.required("path"), freed(call.body), options);
  return done(200);
}

/** Standard base64 with padding: clients refuse the URL alphabet here. */
function statHeader(stat: PathStat): Record<string, string> {
  return { "X-Docker-Container-Path-Stat": Buffer.from(goJSON(stat)).toString("base64") };
}
