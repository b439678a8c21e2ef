import { cpSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { Dockerd } from "../../test/oracle/dockerd.js";
import { lacking } from "../../test/oracle/programs.js";
import { scratch } from "../../test/oracle/scratch.js";
import type { ContainerCreateBody, HostConfig } from "./api-container.js";
import { Engine } from "./engine.js";
import { imported, rootfs } from "./engine.test.tools.js";

/** dockerd and an engine on two copies of one root: what is asked of both has to have the same outcome. */
describe.skipIf(lacking("root", "mounts", "dockerd", "docker"))("the same as dockerd 20.10", () => {
  let dockerd: Dockerd;
  let engine: Engine;
  beforeAll(async () => {
    const directory = await scratch("/dev/shm");
    const [ours, theirs] = [join(directory.path, "ours"), join(directory.path, "theirs")];
    engine = await Engine.open({ root: ours });
    await imported(engine, rootfs, "plain:1");
    await imported(engine, rootfs, "base:1", image);
    await engine[Symbol.asyncDispose]();
    cpSync(ours, theirs, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    rmSync(join(theirs, "layerkit.lock"));
    engine = await Engine.open({ root: ours });
    dockerd = await Dockerd.start(theirs);
    return async () => {
      await dockerd[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    };
  });
  const image = [
    'CMD ["/bin/sh","-c","echo hi"]',
    "ENV A=1 P=/bin",
    "EXPOSE 80 90/udp",
    "LABEL a=b",
    "WORKDIR /tmp",
    "STOPSIGNAL SIGQUIT",
    "HEALTHCHECK --interval=5s CMD true",
  ];

  async function call(method: string, path: string, body?: unknown) {
    return new Promise<{ status: number; body: Record<string, unknown> }>((resolve, reject) => {
      const headers = { "Content-Type": "application/json" };
      const sent = request({ socketPath: dockerd.socket, method, path, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk) => chunks.push(chunk));
        answer.on("end", () =>
          resolve({ status: answer.statusCode ?? 0, body: JSON.parse(String(Buffer.concat(chunks))) }),
        );
      });
      sent.once("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** What differs by its nature: ids, times and places. */
  function same(text: string, root: string, id: string): string {
    return text
      .replaceAll(root, "ROOT")
      .replaceAll(id, "ID")
      .replaceAll(id.slice(0, 12), "SHORT")
      .replaceAll(/\b[0-9a-f]{64}\b/g, "HEX")
      .replaceAll(/"Created":("[^"]*"|\d+)/g, '"Created":TIME')
      .replaceAll(/"Source":"ROOT\/volumes[^"]*"/g, '"Source":""');
  }

  const host = (HostConfig: HostConfig): ContainerCreateBody => ({ Image: "base:1", HostConfig });
  const bodies: [what: string, body: ContainerCreateBody][] = [
    ["a name and a command", { Image: "plain:1", Cmd: ["true"] }],
    ["nothing but the image", { Image: "base:1" }],
    ["no image", { Cmd: ["x"] }],
    ["an entrypoint", { Image: "base:1", Entrypoint: ["/e", "a b"], Cmd: ["c"] }],
    ["an empty entrypoint", { Image: "base:1", Entrypoint: [""], Cmd: ["c"] }],
    [
      "environment, labels, ports",
      { Image: "base:1", Env: ["A=2", "Z"], Labels: { x: "y" }, ExposedPorts: { "1/tcp": {} } },
    ],
    ["a health check", { Image: "base:1", Healthcheck: { Test: ["NONE"] } }],
    ["a host name and user", { Image: "base:1", Hostname: "h", Domainname: "d", User: "bob", WorkingDir: "/w" }],
    ["a terminal", { Image: "base:1", Tty: true, OpenStdin: true, AttachStdin: true, StopTimeout: 3, StopSignal: "9" }],
    ["no network", host({ NetworkMode: "none" })],
    ["the host's network", { Image: "base:1", Hostname: "h", HostConfig: { NetworkMode: "host" } }],
    [
      "the default network, named by the client",
      { ...host({ NetworkMode: "default" }), NetworkingConfig: { EndpointsConfig: { default: { Aliases: ["x"] } } } },
    ],
    ["memory and cpus", host({ Memory: 1e8, NanoCpus: 5e8, CpuShares: 5, PidsLimit: 0, OomScoreAdj: 3 })],
    ["memory, swap and swappiness", host({ Memory: 1e8, MemorySwap: -1, MemorySwappiness: 10, PidsLimit: 10 })],
    [
      "privileges",
      host({ PidMode: "host", Privileged: true, CapAdd: ["NET_ADMIN"], SecurityOpt: ["no-new-privileges"] }),
    ],
    ["security options", host({ SecurityOpt: ["seccomp=unconfined", "no-new-privileges:0", "apparmor=x"] })],
    ["masked paths", host({ MaskedPaths: [], ReadonlyPaths: ["/x"], ReadonlyRootfs: true })],
    ["port bindings", host({ PortBindings: { "80/tcp": [{ HostPort: "8080" }] }, PublishAllPorts: true })],
    ["a restart policy", host({ RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 } })],
    ["logging", host({ LogConfig: { Type: "local", Config: { "max-size": "1m" } } })],
    ["name servers", host({ Dns: ["1.1.1.1"], DnsSearch: [], ExtraHosts: ["a:1.2.3.4"], GroupAdd: ["1"] })],
    ["tmpfs, sysctls, shm", host({ Tmpfs: { "/run": "" }, Sysctls: { "net.x": "1" }, ShmSize: 1e6, Init: true })],
    ["devices", host({ Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/n", CgroupPermissions: "r" }] })],
    ["limits", host({ Ulimits: [{ Name: "nofile", Soft: 1, Hard: 2 }], CgroupnsMode: "private", IpcMode: "none" })],
    ["anonymous volumes", { Image: "base:1", Volumes: { "/data": {}, "/other/": {} } }],
    ["binds", host({ Binds: ["/tmp:/h:ro", "vol:/v", "/usr:/u:rslave"] })],
    ["binds of what has the data root in it", host({ Binds: ["/:/host:ro", "/dev/shm:/s:rshared"] })],
    [
      "mounts",
      host({
        Mounts: [
          { Type: "bind", Source: "/tmp", Target: "/b", ReadOnly: true, BindOptions: { Propagation: "private" } },
          { Type: "volume", Target: "/anonymous" },
          { Type: "volume", Source: "named", Target: "/named", VolumeOptions: { NoCopy: true } },
          { Type: "tmpfs", Target: "/t", TmpfsOptions: { SizeBytes: 4096 } },
        ],
      }),
    ],
  ];

  afterEach(async () => {
    await dockerd.tryDocker(["rm", "-v", "made"]);
    await engine.containers.remove("made", { volumes: true }).catch(() => {});
  });

  test.for(bodies)("a container with %s, in its files and as inspect and list show it", async ([, body]) => {
    const their = (await call("POST", "/containers/create?name=made", body)).body.Id as string;
    const { Id: our } = await engine.containers.create(body, { name: "made" });
    const stored = (root: string, id: string) =>
      ["config.v2.json", "hostconfig.json"].map((name) =>
        same(readFileSync(join(root, "containers", id, name), "utf8"), root, id),
      );
    const [theirConfig = "", theirHost = ""] = stored(dockerd.dataRoot, their);
    const [ourConfig = "", ourHost = ""] = stored(engine.root, our);
    expect(ourHost).toBe(theirHost);
    expect(ourConfig).toBe(theirConfig);
    const sorted = (json: unknown, root: string, id: string) =>
      JSON.parse(same(JSON.stringify(json), root, id).replaceAll("TIME", "0"));
    const byPlace = (value: Record<string, unknown>) => ({
      ...value,
      Mounts: (value.Mounts as { Destination: string }[]).sort((a, b) => (a.Destination < b.Destination ? -1 : 1)),
    });
    const theirInspect = byPlace((await call("GET", "/containers/made/json?size=1")).body);
    const ourInspect = byPlace({ ...(await engine.containers.inspect("made", { size: true })) });
    expect(sorted(ourInspect, engine.root, our)).toEqual(sorted(theirInspect, dockerd.dataRoot, their));
    const [theirSummary] = (await call("GET", "/containers/json?all=1&size=1")).body as unknown as Record<
      string,
      unknown
    >[];
    const [ourSummary] = await engine.containers.list({ all: true, size: true });
    expect(sorted(byPlace({ ...ourSummary }), engine.root, our)).toEqual(
      sorted(byPlace({ ...theirSummary, Labels: theirSummary?.Labels ?? {} }), dockerd.dataRoot, their),
    );
  });

  const commits: [what: string, options: { comment?: string; author?: string; changes?: string[] }][] = [
    ["nothing", {}],
    ["comment and author", { comment: "a <b> & c", author: "me <me@example.com>" }],
    ["changes", { changes: ["ENV A=9 N=$P", "LABEL z=1", "EXPOSE 7", "CMD run it", "VOLUME /v", "ONBUILD RUN x"] }],
    ["an entrypoint", { changes: ['ENTRYPOINT ["/e"]', "HEALTHCHECK NONE", "USER bob", "WORKDIR sub"] }],
  ];
  test.for(commits)("a commit with %s makes the same image config", async ([, options]) => {
    const body = { Image: "base:1", Cmd: ["run", "this"], Labels: { own: "1" } };
    const their = (await call("POST", "/containers/create?name=made", body)).body.Id as string;
    const { Id: our } = await engine.containers.create(body, { name: "made" });
    const query = new URLSearchParams({ container: "made", ...options, changes: "" });
    query.delete("changes");
    for (const change of options.changes ?? []) query.append("changes", change);
    const theirImage = (await call("POST", `/commit?${query}`)).body.Id as string;
    const { Id: ourImage } = await engine.containers.commit("made", options);
    const config = (root: string, id: string, container: string) => {
      const file = join(root, "image/overlay2/imagedb/content/sha256", id.slice("sha256:".length));
      const text = same(readFileSync(file, "utf8"), root, container);
      return text.replaceAll(/"created":"[^"]*"/g, "TIME").replace(/"docker_version":"[^"]*"/, "VERSION");
    };
    expect(config(engine.root, ourImage, our)).toBe(config(dockerd.dataRoot, theirImage, their));
  });

  const refused: [body: ContainerCreateBody, name?: string][] = [
    [{}],
    [{ Image: "nope", Cmd: ["x"] }],
    [{ Image: "plain:1" }],
    [{ Image: "base:1" }, "-x"],
    [{ Image: "base:1" }, "a"],
    [{ Image: "base:1", StopSignal: "FOO" }],
    [{ Image: "base:1", Env: ["=x"] }],
    [{ Image: "base:1", WorkingDir: "rel" }],
    [{ Image: "base:1", Healthcheck: { Retries: -1 } }],
    [{ Image: "base:1", Healthcheck: { Timeout: 5 } }],
    [host({ RestartPolicy: { Name: "zz" } })],
    [host({ RestartPolicy: { Name: "no", MaximumRetryCount: 3 } })],
    [host({ RestartPolicy: { Name: "always" }, AutoRemove: true })],
    [host({ Memory: 1000 })],
    [host({ Memory: 1e8, MemorySwap: 1e7 })],
    [host({ MemorySwap: 1e8 })],
    [host({ NanoCpus: 1e9, CpuQuota: 5 })],
    [host({ MemorySwappiness: 101 })],
    [host({ PortBindings: { "80/tcp": [{ HostPort: "abc" }] } })],
    [host({ NetworkMode: "container:" })],
    [host({ ExtraHosts: ["bad"] })],
    [host({ Binds: ["/tmp:rel"] })],
    [host({ Binds: ["/tmp:/a", "/usr:/a"] })],
    [host({ Binds: ["v!:/a"] })],
    [host({ Binds: ["/dev:/a:private"] })],
    [host({ Mounts: [{ Type: "bind", Source: "/no/such", Target: "/x" }] })],
    [host({ Mounts: [{ Type: "zz", Source: "/tmp", Target: "/x" }] })],
    [host({ VolumesFrom: ["nope"] })],
    [host({ ShmSize: -1 })],
    [host({ Runtime: "zz" })],
    [host({ CapAdd: ["zz"] })],
    [host({ Tmpfs: { rel: "" } })],
    [host({ SecurityOpt: ["zz"] })],
    [host({ SecurityOpt: ["zz=1"] })],
    [host({ SecurityOpt: ["no-new-privileges=maybe"] })],
    [host({ StorageOpt: { size: "1G" } })],
  ];
  test.for(refused)("%j is refused in the same words", async ([body, name = "refused"]) => {
    const { status, body: answer } = await call("POST", `/containers/create?name=${name}`, body);
    expect(status).toBeGreaterThanOrEqual(400);
    const said = String(answer.message).replace(dockerd.dataRoot, engine.root);
    await expect(engine.containers.create(body, { name })).rejects.toThrow(said);
  });
});
