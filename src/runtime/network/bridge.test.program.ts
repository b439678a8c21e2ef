/**
 * Run by a test in network and mount namespaces of its own, with a directory to work in and the program that connects: two members on a bridge, and
 * who of them and of the host reaches whom. Prints one JSON object.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { raiseLoopback } from "../../sys/index.js";
import type { BridgeMember } from "./bridge.js";
import { cniBridge } from "./cni-bridge.js";
import { addressOfDevice, freeSubnet } from "./host-subnets.js";
import { NetworkNamespaces, removeNamespace } from "./namespace.js";
import { netavark } from "./netavark.js";
import { addressText, freeAddress, hardwareAddress, subnetText } from "./subnet.js";

const [directory = "", program] = process.argv.slice(2);
raiseLoopback();
const subnet = freeSubnet();
const bridge = { network: "bridge", device: "layerkit0", subnet, masquerade: true };
const connector = program === "netavark" ? netavark() : cniBridge({ ports: [{}] });
if (!connector) throw new Error(`no ${program}`);
const namespaces = new NetworkNamespaces();
const taken = new Set([subnet.base + 1]);

async function member(id: string, hostPort: number): Promise<BridgeMember> {
  const namespace = join(directory, id);
  const address = freeAddress(subnet, taken) ?? 0;
  taken.add(address);
  await namespaces.make(namespace);
  const ports = [{ containerPort: 80, hostPort, hostIP: "0.0.0.0", protocol: "tcp" as const }];
  return { id, namespace, interface: "eth0", address, hardwareAddress: hardwareAddress(address), ports };
}

/** A server on port 80 in the namespace that says its name; @returns its end */
async function serving({ id, namespace }: BridgeMember): Promise<() => Promise<unknown>> {
  const script = `require("net").createServer((s) => s.end("${id}")).listen(80, () => console.log("up"))`;
  const child = spawn("nsenter", [`--net=${namespace}`, process.execPath, "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return async () => {
    child.kill();
    await once(child, "close");
  };
}

function said(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 5000 });
    socket.on("data", (data) => resolve(String(data)));
    socket.on("error", (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message));
    socket.on("timeout", () => resolve("no answer"));
    socket.on("close", () => resolve("closed"));
  });
}

function saidInside({ namespace }: BridgeMember, host: string, port: number): string {
  const script = `require("net").connect(${port}, "${host}").on("data", (d) => process.stdout.write(String(d)))`;
  return spawnSync("nsenter", [`--net=${namespace}`, process.execPath, "-e", script], {
    encoding: "utf8",
    timeout: 5000,
  }).stdout;
}

const rules = () =>
  spawnSync("iptables", ["-t", "nat", "-S"], { encoding: "utf8" })
    .stdout.split("\n")
    .filter((rule) => /8080|8081/.test(rule)).length;

const [one, two] = [await member("one", 8080), await member("two", 8081)];
for (const each of [one, two]) await connector.join(bridge, each);
const ends = [await serving(one), await serving(two)];
const found = {
  subnet: subnetText(subnet),
  host: addressText(addressOfDevice("layerkit0")?.address ?? 0),
  addresses: [one, two].map(({ address }) => addressText(address)),
  fromHost: await said(addressText(one.address), 80),
  published: [await said("127.0.0.1", 8080), await said("127.0.0.1", 8081)],
  between: saidInside(one, addressText(two.address), 80),
  // netavark's bridges do not send a packet back where it came from.
  ...(program !== "netavark" && { itself: saidInside(one, addressText(subnet.base + 1), 8080) }),
  loopback: saidInside(two, "127.0.0.1", 80),
  rules: rules() > 0,
};
for (const end of ends) await end();
for (const each of [one, two]) {
  await connector.leave(bridge, each);
  await removeNamespace(each.namespace);
}
// Again: what is gone already is no error.
await connector.leave(bridge, one);
await removeNamespace(one.namespace);
await namespaces[Symbol.asyncDispose]();
console.log(JSON.stringify({ ...found, rulesLeft: rules() }));
