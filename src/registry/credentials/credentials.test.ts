import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Scratch, scratch } from "../../../test/oracle/scratch.js";
import { parseRegistryAuth, registryAuth } from "../../spec/index.js";
import { credentialsFor } from "./index.js";

let home: Scratch;
const path = process.env.PATH;
beforeEach(async () => {
  home = await scratch();
  process.env.PATH = `${home.path}:${path}`;
});
afterEach(async () => {
  process.env.PATH = path;
  await home[Symbol.asyncDispose]();
});

const configured = (config: unknown) =>
  writeFile(join(home.path, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
const base64 = (text: string) => Buffer.from(text).toString("base64");

async function helper(name: string, script: string): Promise<void> {
  const file = join(home.path, `docker-credential-${name}`);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}

describe("the file", () => {
  test("need not be there, nor know the registry", async () => {
    expect(await credentialsFor("registry.example", home.path)).toBeUndefined();
    await configured({ auths: { "other.example": { auth: base64("u:p") } } });
    expect(await credentialsFor("registry.example", home.path)).toBeUndefined();
  });

  test("has users and passwords, for hosts and for addresses", async () => {
    await configured({
      auths: {
        "registry.example:5000": { auth: base64("u:p:q") },
        "https://old.example/v1/": { auth: base64("o:p") },
        "https://index.docker.io/v1/": { auth: base64("hub:p") },
      },
    });
    expect(await credentialsFor("registry.example:5000", home.path)).toEqual({
      ...{ username: "u", password: "p:q", serveraddress: "registry.example:5000" },
    });
    expect(await credentialsFor("old.example", home.path)).toMatchObject({ username: "o" });
    expect(await credentialsFor("docker.io", home.path)).toMatchObject({
      ...{ username: "hub", serveraddress: "https://index.docker.io/v1/" },
    });
  });

  test("has tokens", async () => {
    await configured({ auths: { "registry.example": { identitytoken: "t" } } });
    expect(await credentialsFor("registry.example", home.path)).toMatchObject({ identitytoken: "t" });
  });

  test.for([
    ["{", /config\.json cannot be read/],
    [{ auths: { "registry.example": { auth: base64("nobody") } } }, /is not base64 of USER:PASSWORD/],
  ] as const)("that is wrong is an error: %j", async ([config, why]) => {
    await configured(config);
    await expect(credentialsFor("registry.example", home.path)).rejects.toThrow(why);
  });
});

describe("a helper", () => {
  test("is asked for its registries, or for all", async () => {
    await configured({ credsStore: "all", credHelpers: { "own.example": "own" } });
    await helper("all", `read server || :; printf '{"Username":"all","Secret":"%s %s"}' "$1" "$server"`);
    await helper("own", `printf '{"Username":"<token>","Secret":"t"}'`);
    expect(await credentialsFor("docker.io", home.path)).toMatchObject({
      ...{ username: "all", password: "get https://index.docker.io/v1/" },
    });
    expect(await credentialsFor("own.example", home.path)).toEqual({
      identitytoken: "t",
      serveraddress: "own.example",
    });
  });

  test("may know nothing", async () => {
    await configured({ credsStore: "empty" });
    await helper("empty", "echo credentials not found in native keychain; exit 1");
    expect(await credentialsFor("registry.example", home.path)).toBeUndefined();
  });

  test.for([
    ["broken", /^docker-credential-broken get: no bus$/],
    ["silent", /^docker-credential-silent get: it ended with status 3$/],
    ["chatty", /^docker-credential-chatty get: its answer is not JSON$/],
    ["absent", /^cannot run docker-credential-absent, which the docker config names: .*ENOENT/],
    ["../x", /no name of a credential helper/],
  ] as const)("that fails says so: %s", async ([name, why]) => {
    await configured({ credsStore: name });
    await helper("broken", "echo no bus; exit 1");
    await helper("silent", "exit 3");
    await helper("chatty", "echo hello");
    await expect(credentialsFor("registry.example", home.path)).rejects.toThrow(why);
  });
});

describe("the header of a request", () => {
  const credentials = { username: "ü", password: "p?>~", serveraddress: "registry.example" };

  test("is JSON in base64 of the URL alphabet, padded", () => {
    const header = registryAuth(credentials);
    expect(header).toMatch(/^[\w-]+={0,2}$/);
    expect(header.length % 4).toBe(0);
    expect(parseRegistryAuth(header)).toEqual(credentials);
  });

  test("is read in either alphabet, padded or not", () => {
    for (const alphabet of ["base64", "base64url"] as const) {
      expect(parseRegistryAuth(Buffer.from(JSON.stringify(credentials)).toString(alphabet))).toEqual(credentials);
    }
  });

  test.for([undefined, "", "e30=", "%%%", base64("[]"), base64("null"), base64('{"username":1}')])(
    "%s is nobody's",
    (header) => {
      expect(parseRegistryAuth(header)).toBeUndefined();
    },
  );
});
