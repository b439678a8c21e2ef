import { expect, test } from "vitest";
import { checkedSettings, registryInfo } from "./registry-settings.js";

// Each as dockerd 20.10 takes and shows it.
test("what info shows of registries", () => {
  const insecure = ["10.1.2.3/16", "registry.example:5000", "Registry.Example", "10.1.0.0/16", "http://other.example"];
  const given = ["http://mirror.example:81", "https://mirror.example/", "https://mirror.example"];
  const settings = checkedSettings({ registries: { insecure, mirrors: given } });
  const mirrors = ["http://mirror.example:81/", "https://mirror.example/"];
  const host = (Name: string) => ({ [Name]: { Name, Mirrors: [], Secure: false, Official: false } });
  expect(registryInfo(settings)).toEqual({
    AllowNondistributableArtifactsCIDRs: [],
    AllowNondistributableArtifactsHostnames: [],
    InsecureRegistryCIDRs: ["10.1.0.0/16", "127.0.0.0/8"],
    IndexConfigs: {
      "docker.io": { Name: "docker.io", Mirrors: mirrors, Secure: true, Official: true },
      ...host("registry.example:5000"),
      ...host("Registry.Example"),
      ...host("other.example"),
    },
    Mirrors: mirrors,
  });
});

test("what is usual is dockerd's", () => {
  expect(checkedSettings({})).toMatchObject({
    registries: { insecure: [], mirrors: [], attempts: 5 },
    maxConcurrentDownloads: 3,
    maxConcurrentUploads: 5,
  });
});

test.for([
  ["a/b", 'insecure registry a/b is not valid: invalid host "a/b"'],
  ["10.0.0.0/99", 'insecure registry 10.0.0.0/99 is not valid: invalid host "10.0.0.0/99"'],
  ["x.example:port", "is not valid: invalid host"],
  ["x.example:0", "is not valid: invalid port 0"],
  ["-x", "is not valid: invalid host"],
  ["", "is not valid: invalid host"],
] as const)("%j is no registry", ([name, why]) => {
  expect(() => checkedSettings({ registries: { insecure: [name] } })).toThrow(why);
});

test.for([
  ["ftp://x.example", 'invalid mirror: unsupported scheme "ftp" in "ftp://x.example"'],
  ["x.example", 'invalid mirror: unsupported scheme "" in "x.example"'],
  ["http://u:p@x.example", "invalid mirror: username/password not allowed in URI"],
  ["http://x.example/path", 'invalid mirror: path, query, or fragment at end of the URI "http://x.example/path"'],
  ["http://x.example/?q=1", "invalid mirror: path, query, or fragment at end of the URI"],
] as const)("%j is no mirror", ([url, why]) => {
  expect(() => checkedSettings({ registries: { mirrors: [url] } })).toThrow(why);
});

test.for([
  [{ maxConcurrentDownloads: -1 }, "invalid max concurrent downloads: -1"],
  [{ maxConcurrentUploads: 1.5 }, "invalid max concurrent uploads: 1.5"],
  [{ registries: { attempts: 0 } }, "invalid max download attempts: 0"],
] as const)("%j is no setting", ([settings, why]) => {
  expect(() => checkedSettings(settings)).toThrow(why);
});
