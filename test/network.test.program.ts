/**
 * Run by a test in a network and a mount namespace of its own, with a directory to work in: containers on the bridge
 * of a daemon, under the real docker command. Prints one JSON object.
 */
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { raiseLoopback } from "../src/sys/index.js";
import { Layerkitd } from "./oracle/layerkitd.js";
import { output, run } from "./oracle/run.js";
import { smallRoot } from "./oracle/small-root.js";
import { until } from "./oracle/until.js";

const [directory = ""] = process.argv.slice(2);
raiseLoopback();
const root = join(directory, "root");
const bridged = ["--bridge", "layerkit0"];
const image = await smallRoot(["sh", "cat", "perl"], {});

/** A server on port 80 that says `hello`, without a module; and `listening` when it does. */
const server = `socket S,2,1,6; setsockopt S,1,2,1; bind S,pack("Sna4x8",2,80,"\\0"x4) or die; listen S,5;
  syswrite STDOUT,"listening\\n";
  while (accept C,S) { print C "hello"; close C }`;

function said(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 10_000 });
    socket.on("data", (data) => resolve(String(data)));
    socket.on("error", (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message));
    socket.on("timeout", () => resolve("no answer"));
  });
}

const rules = async () => (await run("iptables", ["-t", "nat", "-S"])).stdout.match(/^.*dport.*$/gm)?.length ?? 0;
const found: Record<string, unknown> = {};
let daemon = await Layerkitd.start(root, bridged);
await run("docker", ["-H", `unix://${daemon.socket}`, "import", "-", "base:1"], { input: image });

/** @param times how often it has been started */
const listens = (name: string, times = 1) =>
  until(async () => (await daemon.docker("logs", name)).split("listening").length > times);
const start = async (name: string, ...flags: string[]) => {
  await daemon.docker("run", "--detach", "--name", name, ...flags, "base:1", "perl", "-e", server);
  await listens(name);
};
await start("web", "--publish", "8080:80");
await start("other", "--publish", "127.0.0.1::80", "--expose", "81");
const address = await daemon.docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", "web");
const [, port = ""] = (await daemon.docker("port", "other", "80")).split(":");
found.addresses = [address, await daemon.docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", "other")];
found.published = [await said("127.0.0.1", 8080), await said("127.0.0.1", Number(port)), await said(address, 80)];
found.ports = (await daemon.docker("ps", "--format", "{{.Names}} {{.Ports}}")).replaceAll(port, "PORT").split("\n");
const script = `socket S,2,1,6; connect S,pack("Sna4x8",2,80,pack("C4",172,17,0,2)) or die "$!"; print <S>`;
found.between = await daemon.docker("exec", "other", "perl", "-e", script);
found.hosts = (await daemon.docker("exec", "web", "cat", "/etc/hosts")).match(/^172.*$/m)?.[0].split("\t")[0];
found.network = JSON.parse(await daemon.docker("network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}"));
found.members = await daemon.docker(
  "network",
  "inspect",
  "bridge",
  "--format",
  "{{range .Containers}}{{.Name}} {{.IPv4Address}};{{end}}",
);
const refused = await daemon.tryDocker(["run", "--publish", "8080:80", "base:1", "sh"]);
found.refused = [refused.status, /Bind for 0.0.0.0:8080 failed: port is already allocated/.test(refused.stderr)];
found.alone = await daemon
  .docker("run", "--rm", "--network", "none", "base:1", "cat", "/proc/net/dev")
  .then((text) => text.match(/^ *\w+:/gm)?.map((name) => name.trim()));
found.shared = await daemon
  .docker("run", "--rm", "--network", "container:web", "base:1", "cat", "/etc/hosts")
  .then((text) => text.includes(address));

const mac = "02:42:ac:11:00:99";
await daemon.docker("run", "--detach", "--interactive", "--name", "mac", "--mac-address", mac, "base:1", "cat");
const asked = ["inspect", "--format", "{{.NetworkSettings.Networks.bridge.MacAddress}}", "mac"];
const macs = async () => [
  (await daemon.docker("exec", "mac", "cat", "/sys/class/net/eth0/address")) === mac,
  (await daemon.docker(...asked)) === mac,
];
found.mac = await macs();
await daemon.docker("restart", "--time", "0", "mac");
found.mac = [...(found.mac as boolean[]), ...(await macs())];
await daemon.docker("rm", "--force", "mac");

daemon.kill();
await daemon[Symbol.asyncDispose]();
found.without = await said("127.0.0.1", 8080);
daemon = await Layerkitd.start(root, bridged);
found.after = [
  await said("127.0.0.1", 8080),
  await daemon.docker("ps", "--quiet").then((text) => text.split("\n").length),
];
await start("third");
found.third = await daemon.docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", "third");
await daemon.docker("restart", "--time", "0", "web");
await listens("web", 2);
found.restarted = await said("127.0.0.1", 8080);
await daemon.docker("rm", "--force", "web", "other", "third");
found.gone = [await said("127.0.0.1", 8080), await rules()];

// The daemon is killed while it starts a container: after its ports are published, then after its process has begun.
const veths = async () => (await readFile("/proc/self/net/dev", "utf8")).match(/^ *veth/gm)?.length ?? 0;
const begun = (name: string) => until(async () => existsSync(join(directory, name)));
const left = async () => [(await rules()) > 0, await veths()];
async function crashInStart(name: string): Promise<void> {
  const cut = daemon.tryDocker(["run", "--detach", "--name", name, "--publish", "8090:80", ...held, "base:1", "cat"]);
  await begun(name);
  daemon.kill();
  await cut;
  await daemon[Symbol.asyncDispose]();
}
const held = ["--interactive", "--runtime", "held"];
await daemon[Symbol.asyncDispose]();
const config = join(directory, "daemon.json");
await writeFile(config, JSON.stringify({ runtimes: { held: { path: join(directory, "runtime") } } }));
const waits = (name: string) =>
  `touch ${directory}/${name}; while test -e ${config} -a ! -e ${directory}/go; do sleep 0.01; done`;
await writeFile(
  join(directory, "runtime"),
  `#!/bin/sh\nrunc "$@" || exit\ncase "$*" in *" run "*) ${waits("late")};; esac\n`,
  { mode: 0o755 },
);
const portmap = "/usr/lib/cni/portmap";
await copyFile(portmap, join(directory, "portmap"));
await writeFile(
  join(directory, "held-portmap"),
  `#!/bin/sh\n${directory}/portmap || exit\n[ $CNI_COMMAND = ADD ] || exit 0\n${waits("early")}\n`,
  { mode: 0o755 },
);
daemon = await Layerkitd.start(root, [...bridged, "--config-file", config]);
await run("mount", ["--bind", join(directory, "held-portmap"), portmap]);
await crashInStart("early");
// Its script still waits.
await output("umount", ["--lazy", portmap]);
found.early = [await left()];
daemon = await Layerkitd.start(root, [...bridged, "--config-file", config]);
(found.early as unknown[]).push(await left(), await daemon.docker("inspect", "--format", "{{.State.Status}}", "early"));
await daemon.docker("rm", "early");
await crashInStart("late");
found.late = [await left()];
await writeFile(join(directory, "go"), "");
daemon = await Layerkitd.start(root, [...bridged, "--config-file", config]);
(found.late as unknown[]).push(await daemon.docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", "late"));
await start("fourth");
(found.late as unknown[]).push(await daemon.docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", "fourth"));
await daemon.docker("rm", "--force", "late", "fourth");
(found.late as unknown[]).push(await left());

// Without plugins, as on a machine that lacks them.
const empty = await mkdtemp(join(directory, "empty-"));
for (const place of ["/usr/lib/cni", "/usr/lib/podman"]) await run("mount", ["--bind", empty, place]);
const lacking = await daemon.tryDocker(["run", "--rm", "base:1", "sh", "-c", "echo ran"]);
found.lacking = [
  lacking.status,
  /needs the CNI plugins bridge.* or netavark: install them.* or use the network none or host/.test(lacking.stderr),
];
found.host = await daemon.docker("run", "--rm", "--network", "host", "base:1", "sh", "-c", "echo ran");
await daemon[Symbol.asyncDispose]();
await mkdir(directory, { recursive: true });
await writeFile(join(directory, "found.json"), JSON.stringify(found));
