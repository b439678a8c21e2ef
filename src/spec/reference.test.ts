import { describe, expect, test } from "vitest";
import {
  type Digest,
  familiarName,
  familiarString,
  matchesReference,
  parseReference,
  type Reference,
  withDefaultTag,
  withTag,
} from "./index.js";

const digest = `sha256:${"f".repeat(64)}` as Digest;
const hex = "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a";
const song = "thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev";

/** What a reference is, by what was typed: the cases of distribution/reference. */
const valid: Record<string, Reference> = {
  test_com: { domain: "docker.io", path: "library/test_com" },
  "test.com:tag": { domain: "docker.io", path: "library/test.com", tag: "tag" },
  "test.com:5000": { domain: "docker.io", path: "library/test.com", tag: "5000" },
  "test.com/repo:tag": { domain: "test.com", path: "repo", tag: "tag" },
  "test:5000/repo": { domain: "test:5000", path: "repo" },
  "test:5000/repo:tag": { domain: "test:5000", path: "repo", tag: "tag" },
  [`test:5000/repo@${digest}`]: { domain: "test:5000", path: "repo", digest },
  [`test:5000/repo:tag@${digest}`]: { domain: "test:5000", path: "repo", tag: "tag", digest },
  [`busybox:latest@${digest}`]: { domain: "docker.io", path: "library/busybox", tag: "latest", digest },
  "lowercase:Uppercase": { domain: "docker.io", path: "library/lowercase", tag: "Uppercase" },
  "sub-dom1.foo.com/bar/baz/quux:some-long-tag": {
    domain: "sub-dom1.foo.com",
    path: "bar/baz/quux",
    tag: "some-long-tag",
  },
  "b.gcr.io/test.example.com/my-app:test.example.com": {
    domain: "b.gcr.io",
    path: "test.example.com/my-app",
    tag: "test.example.com",
  },
  "xn--n3h.com/myimage:xn--n3h.com": { domain: "xn--n3h.com", path: "myimage", tag: "xn--n3h.com" },
  "xn--n3h.com:18080/foo": { domain: "xn--n3h.com:18080", path: "foo" },
  "foo_bar.com:8080": { domain: "docker.io", path: "library/foo_bar.com", tag: "8080" },
  "foo/foo_bar.com:8080": { domain: "docker.io", path: "foo/foo_bar.com", tag: "8080" },
  "192.168.1.1": { domain: "docker.io", path: "library/192.168.1.1" },
  "192.168.1.1:5000": { domain: "docker.io", path: "library/192.168.1.1", tag: "5000" },
  "192.168.1.1/repo": { domain: "192.168.1.1", path: "repo" },
  "192.168.1.1:5000/repo:5050": { domain: "192.168.1.1:5000", path: "repo", tag: "5050" },
  "192.168.0.1:8/debian": { domain: "192.168.0.1:8", path: "debian" },
  "[2001:db8::1]/repo": { domain: "[2001:db8::1]", path: "repo" },
  "[2001:db8:1:2:3:4:5:6]/repo:tag": { domain: "[2001:db8:1:2:3:4:5:6]", path: "repo", tag: "tag" },
  [`[2001:db8::1]:5000/repo:tag@${digest}`]: { domain: "[2001:db8::1]:5000", path: "repo", tag: "tag", digest },
  "[::1]:5000/repo": { domain: "[::1]:5000", path: "repo" },
  "localhost/repo": { domain: "localhost", path: "repo" },
  "test_com/foo": { domain: "docker.io", path: "test_com/foo" },
  "docker/docker": { domain: "docker.io", path: "docker/docker" },
  "docker---rules/docker": { domain: "docker.io", path: "docker---rules/docker" },
  "dock__er/docker": { domain: "docker.io", path: "dock__er/docker" },
  "d/docker": { domain: "docker.io", path: "d/docker" },
  [song]: { domain: "docker.io", path: `library/${song}` },
  [`docker.io/${hex}`]: { domain: "docker.io", path: `library/${hex}` },
  [hex.slice(1)]: { domain: "docker.io", path: `library/${hex.slice(1)}` },
  [`${"a/".repeat(122)}a:tag-puts-this-over-max`]: {
    domain: "docker.io",
    path: `${"a/".repeat(122)}a`,
    tag: "tag-puts-this-over-max",
  },
  [`a:${"t".repeat(128)}`]: { domain: "docker.io", path: "library/a", tag: "t".repeat(128) },
  "Docker/docker": { domain: "Docker", path: "docker" },
};

const invalid = [
  "",
  ":justtag",
  `@${digest}`,
  "repo@sha256:ffffffffffffffffffffffffffffffffff",
  `validname@invaliddigest:${"f".repeat(64)}`,
  `repo@sha256:${"F".repeat(64)}`,
  "Uppercase:tag",
  "test:5000/Uppercase/lowercase:tag",
  `${"a/".repeat(128)}a:tag`,
  `${"a/".repeat(123)}aa`, // 255 with docker.io/ in front is the most
  "aa/asdf$$^/aa",
  "[2001:db8::1]",
  "[2001:db8::1]:5000",
  "[2001:db8::1]:tag",
  "[fe80::1%eth0]:5000/repo",
  "[2001:db8:3:4::192.0.2.33]:5000/debian",
  "fc00::1:5000/debian",
  "https://github.com/docker/docker",
  "docker/Docker",
  "-docker",
  "-docker/docker",
  "docker-/docker",
  "-docker-/docker",
  "-docker.io/docker/docker",
  "docker///docker",
  "docker.io/docker///docker",
  "____/____",
  "_docker/_docker",
  "dock..er/docker",
  "dock_.er/docker",
  "dock-.er/docker",
  "docker/",
  "/docker",
  "docker.io/",
  "localhost/",
  hex,
  "busybox:-foo",
  "busybox:.foo",
  `a:${"t".repeat(129)}`,
  "a b",
  "a:b:c",
  "a\n",
  "ä",
];

describe("parseReference", () => {
  test.for(Object.entries(valid))("reads %s", ([text, ref]) => {
    expect(parseReference(text)).toEqual(ref);
  });

  test.for(invalid)("refuses %j", (text) => {
    expect(() => parseReference(text)).toThrow(/^invalid reference format/);
  });

  test("what is wrong with upper case is said", () => {
    expect(() => parseReference("docker/Docker")).toThrow("repository name must be lowercase");
  });

  test("hostile text is refused at once", () => {
    const begin = performance.now();
    for (const text of [`${"a".repeat(100_000)}!`, `${"a-".repeat(50_000)}!`, `${"a.".repeat(50_000)}/x`]) {
      expect(() => parseReference(text)).toThrow(/^.{1,400}$/);
    }
    expect(performance.now() - begin).toBeLessThan(2000);
  });
});

describe("familiar names", () => {
  test.for([
    ["index.docker.io/fooo/bar", "fooo/bar"],
    ["library/ubuntu", "ubuntu"],
    ["docker.io/library/ubuntu", "ubuntu"],
    ["docker.io/ubuntu", "ubuntu"],
    ["other/library", "other/library"],
    ["127.0.0.1:8000/privatebase", "127.0.0.1:8000/privatebase"],
    ["example.com/library/moonbase", "example.com/library/moonbase"],
    ["index.docker.io/library/ubuntu-12.04-base", "ubuntu-12.04-base"],
    ["library/foo/bar", "library/foo/bar"],
    ["store/foo/bar", "store/foo/bar"],
    ["Foo/bar", "Foo/bar"],
  ] as const)("%s is %s", ([text, familiar]) => {
    expect(familiarName(parseReference(text))).toBe(familiar);
    expect(familiarName(parseReference(familiar))).toBe(familiar);
  });

  test("with tag, and with digest alone when it has both", () => {
    expect(familiarString(parseReference("docker.io/library/a:b"))).toBe("a:b");
    expect(familiarString(parseReference(`a:b@${digest}`))).toBe(`a@${digest}`);
    expect(familiarString(parseReference("localhost:5000/a"))).toBe("localhost:5000/a");
  });

  test("latest is added only where there is neither tag nor digest", () => {
    const texts = ["a", "a:b", `a@${digest}`].map((text) => familiarString(withDefaultTag(parseReference(text))));
    expect(texts).toEqual(["a:latest", "a:b", `a@${digest}`]);
  });
});

test("another tag takes the place of tag and digest", () => {
  expect(withTag(parseReference(`a:b@${digest}`), "c.1-X_y")).toEqual({
    domain: "docker.io",
    path: "library/a",
    tag: "c.1-X_y",
  });
  for (const tag of ["", "-a", ".a", "a b", "a/b", `b@${digest}`, "a\n", "t".repeat(129)]) {
    expect(() => withTag(parseReference("a"), tag)).toThrow("invalid tag format");
  }
});

describe("matchesReference", () => {
  test.for([
    ["foo", "foo/**/ba[rz]", false],
    ["foo/any/bat", "foo/**/ba[rz]", false],
    ["foo/a/bar", "foo/**/ba[rz]", true],
    ["foo/b/baz", "foo/**/ba[rz]", true],
    ["foo/c/baz:tag", "foo/**/ba[rz]", true],
    ["foo/c/baz:tag", "foo/*/baz:tag", true],
    ["foo/c/baz:tag", "foo/c/baz:tag", true],
    ["example.com/foo/c/baz:tag", "*/foo/c/baz:tag", true],
    ["example.com/foo/c/baz:tag", "example.com/foo/c/baz", true],
    ["busybox:1.2", "busybox", true],
    ["busybox:1.2", "busy*:1.?", true],
    ["busybox:1.2", "busy", false],
    ["busybox:1x2", "busybox:1.2", false],
    ["a/b:c", "*", false],
    ["ab", "[^b-z]b", true],
    ["ab", "[z-a]b", false],
    ["a-b", "a[\\-]b", true],
    ["a.b", "a\\.b", true],
  ] as const)("%s against %s: %s", ([text, pattern, matches]) => {
    expect(matchesReference(pattern, parseReference(text))).toBe(matches);
  });

  test.for(["[-x]", "[x-]", "[", "[]", "[]a]", "a[", "[a", "\\", "[\\]", "[-]"])("%s is no pattern", (pattern) => {
    expect(() => matchesReference(pattern, parseReference("a"))).toThrow("syntax error in pattern");
  });
});
