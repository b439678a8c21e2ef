import { describe, expect, test } from "vitest";
import { parseBind, parseMount, wantedMounts } from "./mount-request.js";

describe("binds", () => {
  test("a path on the host, a mode, and what dockerd stores of it", async () => {
    expect(await parseBind("/tmp:/h:ro", "")).toEqual({
      copy: false,
      mount: {
        Source: "/tmp",
        Destination: "/h",
        RW: false,
        Name: "",
        Driver: "",
        Type: "bind",
        Relabel: "ro",
        Propagation: "rprivate",
        Spec: { Type: "bind", Source: "/tmp", Target: "/h", ReadOnly: true },
        SkipMountpointCreation: false,
      },
    });
  });

  test("a name is a volume that is filled, unless told not to", async () => {
    const { mount, copy } = await parseBind("data:/v/", "");
    expect([mount.Type, mount.Name, mount.Destination, copy]).toEqual(["volume", "data", "/v", true]);
    expect((await parseBind("data:/v:nocopy", "")).copy).toBe(false);
  });

  test.for([
    ["bad", "invalid volume specification: 'bad': invalid mount config for type \"volume\": invalid mount path: 'bad'"],
    ["/tmp:rel", "invalid mount config for type \"bind\": invalid mount path: 'rel' mount path must be absolute"],
    ["/tmp:/a:zz", "invalid mode: zz"],
    ["/tmp:/a:ro,rw", "invalid mode: ro,rw"],
    ["/a:ro", "invalid volume specification: '/a:ro'"],
    ["a:b:c:d", "invalid volume specification: 'a:b:c:d'"],
    ["/tmp:/", "invalid specification: destination can't be '/'"],
    ["/tmp:/a/..", "destination can't be '/'"],
    [":/a", "invalid volume specification"],
  ] as const)("%s is refused", async ([bind, message]) => {
    await expect(parseBind(bind, "")).rejects.toThrow(message);
  });
});

describe("mounts", () => {
  test.for([
    [{ Type: "zz", Target: "/x" }, 'invalid mount config for type "zz": mount type unknown'],
    [{ Type: "bind", Source: "/no/such", Target: "/x" }, "bind source path does not exist: /no/such"],
    [{ Type: "bind", Target: "/x" }, "field Source must not be empty"],
    [{ Type: "volume", Target: "" }, "field Target must not be empty"],
    [{ Type: "tmpfs", Source: "x", Target: "/x" }, "field Source must not be specified"],
    [{ Type: "volume", Target: "/x", BindOptions: {} }, "field BindOptions must not be specified"],
  ] as const)("%j is refused", async ([spec, message]) => {
    await expect(parseMount(spec)).rejects.toThrow(message);
  });

  test("two at one place are refused", async () => {
    const twice = wantedMounts({ Binds: ["/tmp:/a"], Mounts: [{ Type: "volume", Target: "/a/" }] });
    await expect(twice).rejects.toThrow("Duplicate mount point: /a");
    await expect(wantedMounts({ Binds: ["/tmp:/a"], Tmpfs: { "/a": "" } })).rejects.toThrow("Duplicate mount point");
  });
});
