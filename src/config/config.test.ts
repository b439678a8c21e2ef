import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseLocated, plainOf } from "./located.js";
import { nearest } from "./nearest.js";
import { parseConfig } from "./read.js";

describe("JSON with places", () => {
  const parsed = (parse: (text: string) => unknown, text: string) => {
    try {
      return [parse(text)];
    } catch {
      return "refused";
    }
  };
  const ours = (text: string) => plainOf(parseLocated(text));

  test("is read as JSON.parse reads it", () => {
    fc.assert(fc.property(fc.json(), (text) => void expect(ours(text)).toEqual(JSON.parse(text))));
  });

  test("is refused where JSON.parse refuses it", () => {
    const cut = fc.tuple(
      fc.json(),
      fc.nat(),
      fc.nat(3),
      fc.constantFrom("", ",", "}", '"', "0", "-", "\\", "\n", "e", "."),
    );
    const spoilt = cut.map(([text, at, less, more]) => {
      const from = at % (text.length + 1);
      return text.slice(0, from) + more + text.slice(from + less);
    });
    const alike = (text: string) => void expect(parsed(ours, text), text).toEqual(parsed(JSON.parse, text));
    fc.assert(fc.property(spoilt, alike), { numRuns: 1000 });
    for (const text of [
      "",
      "01",
      "1.",
      ".5",
      "+1",
      "1e",
      "tru",
      "nulls",
      "[1,]",
      "{a:1}",
      "'a'",
      '"\\x"',
      "1 2",
      "\ufeff1",
    ])
      alike(text);
  });
});

describe("what is wrong is told with its place", () => {
  test.for([
    ["", "line 1, column 1: expected a value, found the end of the file"],
    ["[]", "line 1, column 1: expected { and keys, as in daemon.json"],
    ['{\n  "debug": true,\n}', "line 3, column 1: expected a key in double quotes, found }"],
    ['{\n  "debug": true\n  "mtu": 1\n}', 'line 3, column 3: expected , or }, found "mtu"'],
    ['{\r\n\t"é": 1, "debug": maybe }', "line 2, column 19: expected a value, found maybe"],
    ['{"debug" true}', 'line 1, column 10: expected : after "debug", found true'],
    ['{"debug": true} // on', "line 1, column 17: expected the end of the file, found /"],
    ['{"hosts": "unix:///s"}', 'line 1, column 11: hosts must be a list, not "unix:///s"'],
    ['{"hosts": ["a",\n 7]}', "line 2, column 2: hosts[1] must be a text, not 7"],
    ['{"shutdown-timeout": 1.5}', "line 1, column 22: shutdown-timeout must be a whole number, not 1.5"],
    [
      '{"max-concurrent-uploads": -1}',
      "line 1, column 28: max-concurrent-uploads must be a whole number from 0 on, not -1",
    ],
    [
      '{"log-level": "loud"}',
      'column 15: log-level must be one of trace, debug, info, warn, warning, error, fatal, panic, not "loud"',
    ],
    ['{"runtimes": {"a": {"path": 1}}}', "column 29: runtimes.a.path must be a text, not 1"],
    ['{"runtimes": {"a": "b"}}', 'column 20: runtimes.a must be an object, not "b"'],
    ['{"userns-remap": "default"}', "column 18: userns-remap is not supported: "],
    ['{"authorization-plugins": ["x"]}', "column 27: authorization-plugins is not supported: "],
    [
      '{\n"debug": true,\n "Debug": true}',
      "line 3, column 2: the following directives don't match any configuration option: Debug (did you mean debug?)",
    ],
    ['{"graph": "/a", "data-root": "/b"}', 'column 2: cannot specify both "graph" and "data-root" config file options'],
    ['{"toString": 1, "__proto__": 2}', "option: toString, __proto__"],
  ] as const)("%j", ([text, message]) => {
    expect(() => parseConfig(text)).toThrow(message);
  });
});

test("keys without effect are told apart, null is as if left out, and the last of two of one name counts", () => {
  const text =
    '{"icc": false, "debug": null, "shutdown-timeout": 15, "userns-remap": "", "log-level": "WARN", "shutdown-timeout": 90}';
  expect(parseConfig(text)).toMatchObject({
    places: { "shutdown-timeout": { line: 1, column: text.indexOf("90}") + 1 } },
    values: { "userns-remap": undefined, "log-level": "warn" },
    given: { icc: false, "shutdown-timeout": 90, "userns-remap": "", "log-level": "WARN" },
    idle: ["icc", "shutdown-timeout"],
  });
});

test("the nearest word is one that differs little", () => {
  const known = ["debug", "hosts", "storage-driver", "storage-opts", "insecure-registries"];
  const given = ["debgu", "Host", "storage-drive", "graph-driver", "insecure-registry", "storageOpts", "zebra", ""];
  expect(given.map((word) => nearest(word, known))).toEqual([
    ...["debug", "hosts", "storage-driver", undefined, "insecure-registries", "storage-opts", undefined, undefined],
  ]);
});
