import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { leftovers } from "../../../test/oracle/root-leftovers.js";
import { drivers, type TestEngine, testEngine } from "../engine.test.tools.js";

const base = { Image: "base:1" };

describe.skipIf(drivers[0]?.skip)("create refuses, in dockerd's words", () => {
  let made: TestEngine;
  beforeAll(async () => {
    made = await testEngine("vfs");
    return () => made[Symbol.asyncDispose]();
  });
  const host = (HostConfig: object) => ({ ...base, HostConfig });
  test.for([
    [{}, "Config cannot be empty in order to create a container"],
    [{ Image: "nope", Cmd: ["x"] }, "No such image: nope:latest"],
    [{ Image: "no pe" }, "invalid reference format"],
    [{ Cmd: [] }, "No command specified"],
    [{ ...base, StopSignal: "FOO" }, "Invalid signal: FOO"],
    [{ ...base, Env: ["=x"] }, "invalid environment variable: =x"],
    [{ ...base, WorkingDir: "rel" }, "the working directory 'rel' is invalid, it needs to be an absolute path"],
    [{ ...base, Healthcheck: { Interval: 5 } }, "Interval in Healthcheck cannot be less than 1ms"],
    [{ ...base, Volumes: { "/": {} } }, "invalid specification: destination can't be '/'"],
    [host({ RestartPolicy: { Name: "zz" } }), "invalid restart policy 'zz'"],
    [
      host({ RestartPolicy: { Name: "always", MaximumRetryCount: 3 } }),
      "maximum retry count cannot be used with restart policy 'always'",
    ],
    [
      host({ RestartPolicy: { Name: "always" }, AutoRemove: true }),
      "can't create 'AutoRemove' container with restart policy",
    ],
    [host({ Memory: 1000 }), "Minimum memory limit allowed is 6MB"],
    [host({ LogConfig: { Type: "zz" } }), 'error looking up logging plugin zz: plugin "zz" not found'],
    [host({ PortBindings: { "80/tcp": [{ HostPort: "abc" }] } }), 'invalid port specification: "abc"'],
    [host({ NetworkMode: "container:" }), "Invalid network mode: invalid container format container:<name|id>"],
    [host({ ExtraHosts: ["bad"] }), 'bad format for add-host: "bad"'],
    [host({ Binds: ["v!:/a"] }), 'create v!: "v!" includes invalid characters for a local volume name'],
    [host({ ShmSize: -1 }), "SHM size can not be less than 0"],
    [host({ Runtime: "zz" }), "Unknown runtime specified zz"],
    [host({ CapAdd: ["zz"] }), 'invalid CapAdd: unknown capability: "CAP_ZZ"'],
    [host({ Tmpfs: { rel: "" } }), "invalid mount path: 'rel' mount path must be absolute"],
    [host({ StorageOpt: { size: "1G" } }), "--storage-opt is not supported for vfs"],
    [
      { ...base, NetworkingConfig: { EndpointsConfig: { b: {}, a: {} } } },
      "Container cannot be connected to network endpoints: a, b",
    ],
  ] as const)("%j", async ([body, message]) => {
    await expect(made.engine.containers.create(body as object)).rejects.toThrow(message);
    expect(await leftovers(made.root, "vfs")).toEqual([]);
    expect(existsSync(join(made.root, "volumes", "v!"))).toBe(false);
  });
});
