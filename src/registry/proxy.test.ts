import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { BadRegistry } from "../../test/oracle/bad-registry.js";
import { Client } from "./client.test.tools.js";

afterEach(() => {
  delete process.env.HTTP_PROXY;
});

test("a registry is reached by the machine's proxy, loopback is not", async () => {
  await using registry = await BadRegistry.start();
  registry.addManifest("app:1", { schemaVersion: 2 });
  const asked: string[] = [];
  const proxy = createServer().listen(0, "127.0.0.1");
  await once(proxy, "listening");
  proxy.on("connect", (request, socket) => {
    asked.push(request.url ?? "");
    const through = connect(Number(registry.host.split(":")[1]), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      through.pipe(socket).pipe(through);
    });
    for (const each of [socket, through])
      each.on("error", () => {}).on("close", () => [socket, through].map((one) => one.destroy()));
  });
  process.env.HTTP_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  {
    await using client = new Client({ mirrors: ["http://registry.example"], insecure: ["registry.example"] });
    await client.repository("docker.io/app").resolve("1");
    expect(new Set(asked.splice(0))).toEqual(new Set(["registry.example:80"]));
    await client.repository(`${registry.host}/app`).resolve("1");
    expect(asked).toEqual([]);
  }
  proxy.close();
});
