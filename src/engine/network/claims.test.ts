import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { parseSubnet } from "../../runtime/index.js";
import { Conflict } from "../../spec/index.js";
import { Claims } from "./claims.js";

const subnet = parseSubnet("10.1.2.0/24");
const gateway = subnet.base + 1;
const wish = (hostPorts: readonly number[], hostIP = "127.0.0.1") =>
  ({ containerPort: 80, protocol: "tcp", hostIP, hostPorts }) as const;

/** Claims with containers that have addresses. */
function claimsOf(...ids: readonly string[]): Claims {
  const claims = new Claims();
  for (const id of ids) claims.address(id, subnet, gateway);
  return claims;
}

test("twenty containers that ask at once get twenty ports", async () => {
  const ids = Array.from({ length: 20 }, (_, index) => `c${index}`);
  const claims = claimsOf(...ids);
  const given = await Promise.all(ids.map((id) => claims.ports(id, [wish([])])));
  expect(new Set(given.map(([port]) => port?.hostPort)).size).toBe(20);
});

test("a port is one container's, until it is freed; of a range the next is taken", async () => {
  const claims = claimsOf("a", "b", "c");
  const [port] = await claims.ports("a", [wish([])]);
  const taken = port?.hostPort ?? 0;
  await expect(claims.ports("b", [wish([taken])])).rejects.toThrow(
    new Conflict(`Bind for 127.0.0.1:${taken} failed: port is already allocated`),
  );
  await expect(claims.ports("b", [wish([taken], "0.0.0.0")])).rejects.toThrow(Conflict);
  claims.free("a");
  expect(await claims.ports("b", [wish([taken])])).toMatchObject([{ hostPort: taken }]);
});

test("a port that another program listens on is refused, and passed over in a range", async () => {
  await using server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const claims = claimsOf("a");
  await expect(claims.ports("a", [wish([port])])).rejects.toThrow(/port is already allocated/);
  const [spare] = await claimsOf("b").ports("b", [wish([])]);
  const range = [port, spare?.hostPort ?? 0];
  expect(await claims.ports("a", [wish(range)])).toMatchObject([{ hostPort: range[1] }]);
});

test("addresses are given out once each, and again when they are freed", () => {
  const claims = claimsOf("a", "b");
  claims.restore("old", { address: subnet.base + 4, ports: [] });
  expect(claims.address("c", subnet, gateway)).toBe(subnet.base + 5);
  claims.free("a");
  expect(claims.address("d", subnet, gateway)).toBe(subnet.base + 2);
  const full = parseSubnet("10.0.0.0/30");
  const few = new Claims();
  few.address("x", full, full.base + 1);
  expect(() => few.address("y", full, full.base + 1)).toThrow(/no address of the bridge is left/);
});
