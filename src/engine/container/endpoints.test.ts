import { expect, test } from "vitest";
import { InvalidParameter, NotImplemented } from "../../spec/index.js";
import type { EndpointSettings } from "../api-container.js";
import { checkEndpoints, checkLinks, withMacAddress } from "./endpoints.js";

const addresses = "user specified IP address is supported on user defined networks only";
const aliases = "network-scoped alias is supported only for containers in user defined networks";

test.for<[asked: EndpointSettings, message: string]>([
  [{ IPAMConfig: { IPv4Address: "172.17.0.9" } }, addresses],
  [{ IPAMConfig: { LinkLocalIPs: ["169.254.1.1"] } }, addresses],
  [{ Aliases: ["x"] }, aliases],
])("%j is refused in dockerd's words", ([bridge, message]) => {
  expect(() => checkEndpoints({ bridge })).toThrow(new InvalidParameter(message));
});

test("links are refused, and what clients send of none is not", () => {
  expect(() => checkLinks(["web:w"])).toThrow(NotImplemented);
  expect(() => checkEndpoints({ bridge: { Links: ["web:w"] } })).toThrow("links to other containers (web:w)");
  const nothing = { IPAMConfig: { IPv4Address: "", LinkLocalIPs: [] }, Links: null, Aliases: [] };
  checkEndpoints({ bridge: nothing, host: null });
  checkLinks([]);
});

test("a MAC address may stand with the network or the container", () => {
  const MacAddress = "02:42:ac:11:00:99";
  expect(withMacAddress({}, { bridge: { MacAddress } })).toEqual({ MacAddress });
  expect(withMacAddress({ MacAddress }, {})).toEqual({ MacAddress });
  expect(withMacAddress({}, { bridge: null })).toEqual({});
  for (const bad of ["zz", "02:42:ac:11:00", "02:42-ac:11:00:99", `${MacAddress}:00`]) {
    expect(() => withMacAddress({}, { bridge: { MacAddress: bad } })).toThrow(`invalid MAC address: ${bad}`);
  }
});
