// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of Dockerfiles, not of this file
import { describe, expect, test } from "vitest";
import { mergeConfig } from "../container/merge-config.js";
import { fullRunConfig } from "../run-config.js";
import { applyChanges } from "./apply-changes.js";

const config = fullRunConfig({
  Cmd: ["run", "it"],
  Env: ["P=/bin", "W=a b", "E="],
  WorkingDir: "/w d",
  Labels: { old: "1" },
  ExposedPorts: { "1/tcp": {} },
  Volumes: { "/vol": {} },
});

/** What a commit makes of these lines: the changes, then what they left open from the container's config. */
const committed = (changes: readonly string[]) => mergeConfig(applyChanges(config, changes), config);

describe("each as dockerd 20.10 commits it", () => {
  const cases: [changes: string[], change: object][] = [
    [["ENV A=x"], { Env: ["P=/bin", "W=a b", "E=", "A=x"] }],
    [["ENV A x y z"], { Env: ["P=/bin", "W=a b", "E=", "A=x y z"] }],
    [
      ["ENV A=\"x y\" B='$P' C=$P:${P} D=\\$P"],
      { Env: ["P=/bin", "W=a b", "E=", "A=x y", "B=$P", "C=/bin:/bin", "D=$P"] },
    ],
    [["ENV P=$P:/sbin"], { Env: ["P=/bin:/sbin", "W=a b", "E="] }],
    [["ENV A=$W"], { Env: ["P=/bin", "W=a b", "E=", "A=a b"] }],
    [
      ["ENV A=${NO:-def} B=${P:+yes} C=${NO:+no} D=${E:-emp}"],
      { Env: ["P=/bin", "W=a b", "E=", "A=def", "B=yes", "C=", "D=emp"] },
    ],
    [["env a=1"], { Env: ["P=/bin", "W=a b", "E=", "a=1"] }],
    [["ENV A=x\\ y"], { Env: ["P=/bin", "W=a b", "E=", "A=x y"] }],
    [['ENV A=a\\\\b B="a\\\\b\\"c\\n"'], { Env: ["P=/bin", "W=a b", "E=", "A=a\\b", 'B=a\\b"c\\n'] }],
    [["ENV A=1 \\\n B=2"], { Env: ["P=/bin", "W=a b", "E=", "A=1", "B=2"] }],
    [["# c", "ENV Z=1"], { Env: ["P=/bin", "W=a b", "E=", "Z=1"] }],
    [['LABEL a=b "c d"="e f"'], { Labels: { a: "b", "c d": "e f", old: "1" } }],
    [["LABEL a b c"], { Labels: { a: "b c", old: "1" } }],
    [["LABEL old=2"], { Labels: { old: "2" } }],
    [["LABEL a.$P=$P"], { Labels: { "a./bin": "/bin", old: "1" } }],
    [["EXPOSE 80"], { ExposedPorts: { "1/tcp": {}, "80/tcp": {} } }],
    [["EXPOSE 80 90/udp"], { ExposedPorts: { "1/tcp": {}, "80/tcp": {}, "90/udp": {} } }],
    [["EXPOSE 80-82"], { ExposedPorts: { "1/tcp": {}, "80/tcp": {}, "81/tcp": {}, "82/tcp": {} } }],
    [["EXPOSE 80/TCP"], { ExposedPorts: { "1/tcp": {}, "80/tcp": {} } }],
    [["EXPOSE $X"], {}],
    [["EXPOSE 8080:80"], { ExposedPorts: { "1/tcp": {}, "80/tcp": {} } }],
    [["EXPOSE 1.2.3.4:5:80"], { ExposedPorts: { "1/tcp": {}, "80/tcp": {} } }],
    [["CMD a b c"], { Cmd: ["/bin/sh", "-c", "a b c"] }],
    [['CMD ["a","b"]'], { Cmd: ["a", "b"] }],
    [["CMD [a]"], { Cmd: ["/bin/sh", "-c", "[a]"] }],
    [["CMD"], { Cmd: ["/bin/sh", "-c"] }],
    [["CMD []"], {}],
    [["CMD echo $P"], { Cmd: ["/bin/sh", "-c", "echo $P"] }],
    [["ENTRYPOINT e"], { Cmd: null, Entrypoint: ["/bin/sh", "-c", "e"] }],
    [['ENTRYPOINT ["e"]'], { Cmd: null, Entrypoint: ["e"] }],
    [["CMD c", 'ENTRYPOINT ["e"]'], { Cmd: ["/bin/sh", "-c", "c"], Entrypoint: ["e"] }],
    [['ENTRYPOINT ["e"]', 'CMD ["c"]'], { Cmd: ["c"], Entrypoint: ["e"] }],
    [["ENTRYPOINT []"], {}],
    [["ENTRYPOINT"], {}],
    [["USER u"], { User: "u" }],
    [["USER u g"], { User: "u g" }],
    [["USER $P"], { User: "/bin" }],
    [["WORKDIR sub"], { WorkingDir: "/w d/sub" }],
    [["WORKDIR /abs/../x"], { WorkingDir: "/abs/../x" }],
    [["WORKDIR $P/x"], { WorkingDir: "/bin/x" }],
    [["WORKDIR a b"], { WorkingDir: "/w d/a b" }],
    [['WORKDIR "q"'], { WorkingDir: "/w d/q" }],
    [["VOLUME /a /b"], { Volumes: { "/a": {}, "/b": {}, "/vol": {} } }],
    [['VOLUME ["/a","/b c"]'], { Volumes: { "/a": {}, "/b c": {}, "/vol": {} } }],
    [["VOLUME $P"], { Volumes: { "/bin": {}, "/vol": {} } }],
    [["VOLUME $W"], { Volumes: { "/vol": {}, "a b": {} } }],
    [["ONBUILD RUN x"], { OnBuild: ["RUN x"] }],
    [["onbuild  run  x y"], { OnBuild: ["run  x y"] }],
    [["ONBUILD zz"], { OnBuild: ["zz"] }],
    [["ONBUILD RUN x \\\n y"], { OnBuild: ["RUN x  y"] }],
    [["HEALTHCHECK NONE"], { Healthcheck: { Test: ["NONE"] } }],
    [["HEALTHCHECK CMD a b"], { Healthcheck: { Test: ["CMD-SHELL", "a b"] } }],
    [
      ['HEALTHCHECK --interval=1s --timeout=2m --start-period=1h --retries=3 CMD ["a"]'],
      {
        Healthcheck: {
          Interval: 1000000000,
          Retries: 3,
          StartPeriod: 3600000000000,
          Test: ["CMD", "a"],
          Timeout: 120000000000,
        },
      },
    ],
    [["HEALTHCHECK cmd a"], { Healthcheck: { Test: ["CMD-SHELL", "a"] } }],
    [["ENV A=1\nENV B=2"], { Env: ["P=/bin", "W=a b", "E=", "A=1", "B=2"] }],
    [["ENV A=1", "ENV B=$A"], { Env: ["P=/bin", "W=a b", "E=", "A=1", "B=1"] }],
    [["ENV A=1 B=$A"], { Env: ["P=/bin", "W=a b", "E=", "A=1", "B="] }],
    [["ENV A=x#y"], { Env: ["P=/bin", "W=a b", "E=", "A=x#y"] }],
    [["ENV A=$1x B=$@ C=$ D=$-"], { Env: ["P=/bin", "W=a b", "E=", "A=x", "B=", "C=$", "D="] }],
    [["ENV A=\"${P}\"'$P'$P"], { Env: ["P=/bin", "W=a b", "E=", "A=/bin$P/bin"] }],
    [["ENV A= B=1"], { Env: ["P=/bin", "W=a b", "E=", "A=", "B=1"] }],
    [["ENV A=${NO:-$P}"], { Env: ["P=/bin", "W=a b", "E=", "A=/bin"] }],
    [['ENV A=${NO:-"q r"}'], { Env: ["P=/bin", "W=a b", "E=", "A=q r"] }],
    [['USER "a b"'], { User: "a b" }],
    [["ENV A=\\"], { Env: ["P=/bin", "W=a b", "E=", "A="] }],
    [["ENV a=b\\ "], { Env: ["P=/bin", "W=a b", "E=", "a=b"] }],
  ];
  test.for(cases)("%j", ([changes, change]) => {
    expect(committed(changes)).toEqual({ ...config, ...change });
  });
});

describe("refused with dockerd's words", () => {
  const cases: [changes: string[], message: string][] = [
    [["ENV A=${NO:?bad}"], 'failed to process "${NO:?bad}": NO: bad'],
    [["ENV A=${"], "failed to process \"${\": syntax error: missing '}'"],
    [["ENV A='x"], 'failed to process "\'x": unexpected end of statement while looking for matching single-quote'],
    [['ENV A="x'], 'failed to process "\\"x": unexpected end of statement while looking for matching double-quote'],
    [["ENV =x"], "ENV names can not be blank"],
    [["ENV A"], "ENV must have two arguments"],
    [["ENV"], "ENV requires at least one argument"],
    [["ENV A=1 B"], 'Syntax error - can\'t find = in "B". Must be of the form: name=value'],
    [["LABEL a"], "LABEL must have two arguments"],
    [["EXPOSE 70000"], "Invalid containerPort: 70000"],
    [["EXPOSE 80/zz"], "Invalid proto: zz"],
    [["EXPOSE a-b"], "Invalid containerPort: a-b"],
    [["EXPOSE 82-80"], "Invalid containerPort: 82-80"],
    [["EXPOSE"], "EXPOSE requires at least one argument"],
    [['CMD ["a", 1]'], "when using JSON array syntax, arrays must be comprised of strings only"],
    [["CMD --x y"], "Unknown flag: x"],
    [["USER"], "USER requires exactly one argument"],
    [["WORKDIR $NO"], "cannot normalize nothing"],
    [["VOLUME []"], "VOLUME requires at least one argument"],
    [['VOLUME [""]'], "VOLUME specified can not be an empty string"],
    [["ONBUILD ONBUILD RUN x"], "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
    [["ONBUILD FROM x"], "FROM isn't allowed as an ONBUILD trigger"],
    [["ONBUILD"], "ONBUILD requires at least one argument"],
    [["HEALTHCHECK NONE x"], "HEALTHCHECK NONE takes no arguments"],
    [["HEALTHCHECK --interval=0s CMD a"], 'Interval "interval" cannot be less than 1ms'],
    [["HEALTHCHECK --interval=1us CMD a"], 'Interval "interval" cannot be less than 1ms'],
    [["HEALTHCHECK --retries=0 CMD a"], "--retries must be at least 1 (not 0)"],
    [["HEALTHCHECK --zz=1 CMD a"], "Unknown flag: zz"],
    [["HEALTHCHECK CMD"], "Missing command after HEALTHCHECK CMD"],
    [["HEALTHCHECK"], "HEALTHCHECK requires at least one argument"],
    [["HEALTHCHECK --interval=x CMD a"], 'time: invalid duration "x"'],
    [["HEALTHCHECK --interval CMD a"], "Missing a value on flag: interval"],
    [["HEALTHCHECK CMD []"], "Missing command after HEALTHCHECK CMD"],
    [["FROM x"], "from is not a valid change command"],
    [["COPY a b"], "copy is not a valid change command"],
    [["MAINTAINER x"], "maintainer is not a valid change command"],
    [[""], "file with no instructions"],
    [["   "], "file with no instructions"],
    [["ENV A=x # y"], 'Syntax error - can\'t find = in "#". Must be of the form: name=value'],
    [["LABEL a='x\ny'"], "y' is not a valid change command"],
    [["ENV A=\ty"], 'Syntax error - can\'t find = in "y". Must be of the form: name=value'],
    [["ENV A=  y"], 'Syntax error - can\'t find = in "y". Must be of the form: name=value'],
    [
      ['EXPOSE "80 81"'],
      'failed to process "\\"80": unexpected end of statement while looking for matching double-quote',
    ],
    [["ENV A=${P:-x y}z"], 'Syntax error - can\'t find = in "y}z". Must be of the form: name=value'],
  ];
  test.for(cases)("%j", ([changes, message]) => {
    expect(() => applyChanges(config, changes)).toThrow(message);
  });
});
