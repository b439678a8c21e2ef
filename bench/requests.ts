import { dockerEnvironment } from "../test/oracle/dockerd.js";
import { call } from "../test/oracle/engine-call.js";
import { output } from "../test/oracle/run.js";
import type { Contender } from "./contenders.js";

/** Who is asked by a Docker Engine API. */
type Asked = Pick<Contender, "socket">;

export function ask({ socket = "" }: Asked, path: string, method = "GET", body?: object): Promise<string> {
  return call(socket, path, { method, ...(body && { body }) });
}

/** A client in this process would take more of the processors than the docker command. */
export async function docker({ socket = "" }: Asked, ...args: readonly string[]): Promise<void> {
  await output("docker", ["--host", `unix://${socket}`, ...args], dockerEnvironment);
}

export async function repeatedly(times: number, work: () => Promise<unknown>): Promise<void> {
  for (let time = 0; time < times; time++) await work();
}
