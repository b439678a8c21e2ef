import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { GenericContainer, Wait } from "testcontainers";

// What testcontainers does with a container, in a process of its own: it keeps to the first daemon it has found.

/** Up again and again: after a restart a line is waited for from StartedAt on, and dockerd takes that time a little late. */
const script = "cat /etc/given; while :; do echo it is up; sleep 0.1; done";

// Reading logs does not keep a process up: testcontainers has it so.
const awake = setInterval(() => {}, 1000);

const container = await new GenericContainer("sample:1")
  .withNetworkMode("none")
  .withCommand(["sh", "-c", script])
  .withEnvironment({ GIVEN: "value" })
  .withLabels({ purpose: "test" })
  .withCopyContentToContainer([{ content: "copied before\n", target: "/etc/given" }])
  .withWaitStrategy(Wait.forLogMessage("it is up"))
  .start();

const seen: unknown[] = [];
seen.push(await container.exec(["sh", "-c", "echo $GIVEN; cat /etc/given; exit 3"]));
await container.copyContentToContainer([{ content: "copied after\n", target: "/var/deep/down", mode: 0o600 }]);
seen.push(await container.exec(["stat", "-c", "%a %n", "/var/deep/down"], { workingDir: "/var", user: "0" }));
const tar = await container.copyArchiveFromContainer("/var/deep/down");
seen.push((await text(tar as Readable)).includes("copied after\n"));
const logs = await container.logs();
let said = "";
for await (const chunk of logs) {
  said += chunk;
  if (said.includes("it is up\n")) break;
}
seen.push(said.split("\n").slice(0, 2));
const image = await container.commit({ repo: "kept", tag: "1", deleteOnExit: false });
seen.push(image.startsWith("sha256:"));
await container.restart();
seen.push(await container.exec(["cat", "/var/deep/down"]));
const stopped = await container.stop({ remove: false, timeout: 0 });
seen.push(stopped.getId() === container.getId());

const once = await new GenericContainer("kept:1")
  .withNetworkMode("none")
  .withCommand(["cat", "/var/deep/down"])
  .withWaitStrategy(Wait.forOneShotStartup())
  .start();
seen.push(await text(await once.logs()));
await once.stop();

process.stdout.write(JSON.stringify(seen));
clearInterval(awake);
