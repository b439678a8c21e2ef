import { expect, test } from "vitest";
import { portList, portMap, publishedPorts, wantedPorts } from "./ports.js";

const host = {
  PortBindings: {
    "80/tcp": [
      { HostIp: "", HostPort: "8080" },
      { HostIp: "127.0.0.1", HostPort: "" },
    ],
    "53/udp": [{ HostPort: "5300-5302" }],
  },
};

test("what is asked to be published, with the address of the host for who names none", () => {
  expect(wantedPorts({}, host, "10.0.0.1")).toEqual([
    { containerPort: 80, protocol: "tcp", hostIP: "10.0.0.1", hostPorts: [8080] },
    { containerPort: 80, protocol: "tcp", hostIP: "127.0.0.1", hostPorts: [] },
    { containerPort: 53, protocol: "udp", hostIP: "10.0.0.1", hostPorts: [5300, 5301, 5302] },
  ]);
});

test("all exposed ports are published on request, those with a binding by it alone", () => {
  const config = { ExposedPorts: { "80/tcp": {}, "81/tcp": {} } };
  const wished = wantedPorts(config, { ...host, PublishAllPorts: true }, "0.0.0.0");
  expect(wished.filter(({ containerPort }) => containerPort === 80)).toHaveLength(2);
  expect(wished.at(-1)).toEqual({ containerPort: 81, protocol: "tcp", hostIP: "0.0.0.0", hostPorts: [] });
});

test.for(["80-", "x", "2-1", "70000", "1-70000"])("host port %j is refused", (HostPort) => {
  expect(() => wantedPorts({}, { PortBindings: { "80/tcp": [{ HostPort }] } }, "0.0.0.0")).toThrow(
    `invalid port specification: "${HostPort}"`,
  );
});

test("published ports go into a container's settings and come back", () => {
  const ports = [
    { containerPort: 80, protocol: "tcp", hostIP: "0.0.0.0", hostPort: 8080 },
    { containerPort: 80, protocol: "tcp", hostIP: "127.0.0.1", hostPort: 9 },
    { containerPort: 53, protocol: "udp", hostIP: "0.0.0.0", hostPort: 53 },
  ] as const;
  const map = portMap({ ExposedPorts: { "80/tcp": {}, "9/tcp": {} } }, ports);
  expect(map["9/tcp"]).toBeNull();
  expect(publishedPorts(map)).toEqual(ports);
  expect(portList(map)).toContainEqual({ IP: "127.0.0.1", PrivatePort: 80, PublicPort: 9, Type: "tcp" });
  expect(portList(map)).toContainEqual({ PrivatePort: 9, Type: "tcp" });
});
