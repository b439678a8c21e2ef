import { expect, test } from "vitest";
import { readCreateBody } from "./create-body.js";

test("the container's config is what is left at the top level, whatever the case of the other keys", () => {
  const body = { image: "bb", hostconfig: { memory: 7 }, NETWORKINGCONFIG: { endpointsconfig: { none: null } } };
  const read = readCreateBody(body as object);
  expect(read).toEqual({ config: { image: "bb" }, host: { memory: 7 }, endpoints: { none: null } });
});

test("an endpoint of the wrong kind is refused by its place", () => {
  const body = { Image: "bb", NetworkingConfig: { EndpointsConfig: { none: { Links: "x" } } } };
  expect(() => readCreateBody(body as object)).toThrow(/EndpointsConfig\.none\.Links/);
});

test("nothing at all is nothing to make a container of", () => {
  expect(readCreateBody(undefined)).toEqual({ config: {}, host: null, endpoints: {} });
});
