import { expect, test } from "vitest";
import { type DiffID, imageIDOf, parseImageConfig } from "../spec/index.js";
import { newImageConfig } from "./new-image-config.js";

const diffID = `sha256:${"1".repeat(64)}` as DiffID;

test("is spelled as dockerd 20.10 spells the config of an import", () => {
  // Made by `tar c … | docker import -c 'ENV A=b' -c 'LABEL z=1 10=x 9=y' -c 'CMD echo <hi>' -m 'a & b' -`, docker_version taken out.
  const bytes = newImageConfig({
    architecture: "amd64",
    comment: "a & b",
    config: { Env: ["A=b"], Cmd: ["/bin/sh", "-c", "echo <hi>"], Labels: { z: "1", 10: "x", 9: "y" } },
    created: "2026-01-02T03:04:05.123456789Z",
    history: [{ created: "2026-01-02T03:04:05.123456789Z", comment: "a & b" }],
    os: "linux",
    diffIDs: [diffID],
  });
  const zero =
    '"Hostname":"","Domainname":"","User":"","AttachStdin":false,"AttachStdout":false,"AttachStderr":false,' +
    '"Tty":false,"OpenStdin":false,"StdinOnce":false';
  expect(bytes.toString()).toBe(
    `{"architecture":"amd64","comment":"a \\u0026 b","config":{${zero},"Env":["A=b"],` +
      `"Cmd":["/bin/sh","-c","echo \\u003chi\\u003e"],"Image":"","Volumes":null,"WorkingDir":"","Entrypoint":null,` +
      `"OnBuild":null,"Labels":{"10":"x","9":"y","z":"1"}},"container_config":{${zero},"Env":null,"Cmd":null,` +
      `"Image":"","Volumes":null,"WorkingDir":"","Entrypoint":null,"OnBuild":null,"Labels":null},` +
      `"created":"2026-01-02T03:04:05.123456789Z","history":[{"created":"2026-01-02T03:04:05.123456789Z",` +
      `"comment":"a \\u0026 b"}],"os":"linux","rootfs":{"type":"layers","diff_ids":["${diffID}"]}}`,
  );
});

test("what is optional stands in its place only when it is set", () => {
  const config = {
    ExposedPorts: { "80/tcp": {} },
    Healthcheck: { Test: ["CMD", "x"], Retries: 3 },
    ArgsEscaped: true,
    Volumes: { "/b": {}, "/a": {} },
    NetworkDisabled: true,
    MacAddress: "02:42",
    OnBuild: [],
    StopSignal: "SIGINT",
    StopTimeout: 0,
    Shell: ["sh"],
  };
  const { config: kept } = JSON.parse(newImageConfig({ config, diffIDs: [] }).toString());
  expect(Object.keys(kept).join()).toBe(
    "Hostname,Domainname,User,AttachStdin,AttachStdout,AttachStderr,ExposedPorts,Tty,OpenStdin,StdinOnce,Env,Cmd," +
      "Healthcheck,ArgsEscaped,Image,Volumes,WorkingDir,Entrypoint,NetworkDisabled,MacAddress,OnBuild,Labels," +
      "StopSignal,StopTimeout,Shell",
  );
  expect(Object.keys(kept.Volumes)).toEqual(["/a", "/b"]);
});

test("an image without layers has a rootfs without diff ids, and can be read again", () => {
  const bytes = newImageConfig({ diffIDs: [] });
  expect(bytes.toString()).toContain('"created":"0001-01-01T00:00:00Z","rootfs":{"type":"layers"}}');
  expect(parseImageConfig(bytes).rootfs.diff_ids).toEqual([]);
});

test("equal images have equal ids", () => {
  const image = { created: "2026-01-01T00:00:00Z", config: { Labels: { a: "1", b: "2" } }, diffIDs: [diffID] };
  const other = { ...image, config: { Labels: { b: "2", a: "1" } } };
  expect(imageIDOf(newImageConfig(image))).toBe(imageIDOf(newImageConfig(other)));
});
