/** Starts the containers of the requests it is given, says `started`, and stays until it is killed. */
import { openSupervisor } from "./client.js";
import type { StartRequest } from "./contract.js";

const [directory = "", requests = "[]"] = process.argv.slice(2);
const supervisor = await openSupervisor({ directory, idleMs: 200 });
for (const request of JSON.parse(requests) as StartRequest[]) {
  const stream = await supervisor.attach(request, { stdin: true, stdout: true, stderr: true });
  stream.resume();
  await supervisor.start(request);
}
process.stdout.write("started");
setInterval(() => {}, 1000);
