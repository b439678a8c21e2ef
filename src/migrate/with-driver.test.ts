import { expect, test } from "vitest";
import { withDriver } from "./with-driver.js";

test("only the container's own driver is changed, and no other byte", () => {
  const mount = { Driver: "local", Source: '{"Driver":"overlay"}' };
  const config = {
    Name: '/a"}{',
    MountPoints: { "/v": mount },
    Args: ["Driver", "overlay"],
    Driver: "overlay",
    OS: "linux",
  };
  const text = `${JSON.stringify(config).replace('"OS"', ' "Big" : 12345678901234567890, "OS"')}\n`;
  const changed = withDriver(text, "overlay2");
  expect(changed).toBe(text.replace('],"Driver":"overlay"', '],"Driver":"overlay2"'));
  expect(withDriver(changed, "overlay")).toBe(text);
});

test("a config without a driver is no container's", () => {
  expect(() => withDriver('{"Name":"/a","Inner":{"Driver":"overlay"}}', "vfs")).toThrow("names no driver");
});
