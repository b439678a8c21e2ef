import { readFileSync } from "node:fs";
import type { ExecCreateBody, HostConfig } from "../../engine/index.js";
import type { RunConfig } from "../../spec/index.js";
import type { CreateRequest } from "./create-body.js";
import { type Flag, flag, text, textAs, texts, textsAs, within, word, words, yes } from "./flag.js";
import { duration, integer, pairs } from "./values.js";

type Execution = Pick<ExecCreateBody, "Env" | "WorkingDir" | "User" | "Tty">;

/** How any process is run in a container. */
export const executionFlags: readonly Flag<Execution>[] = [
  words("--env-file <file>", "file of environment variables", (body, files) => {
    body.Env = files
      .flatMap(linesOf)
      .map(withValue)
      .filter((item) => item.includes("="));
  }),
  words("-e, --env <name=value>", "environment variable", (body, given) => {
    body.Env = [...(body.Env ?? []), ...given.map(withValue)];
  }),
  text("-w, --workdir <dir>", "working directory inside", "WorkingDir"),
  text("-u, --user <user[:group]>", "who runs the command", "User"),
  yes("-t, --tty", "give it a terminal", "Tty"),
];

/** How a container is looked after while it runs, and what is left of it. */
const careFlags: readonly Flag<HostConfig>[] = [
  textsAs("--annotation <key=value>", "annotation for the runtime", "Annotations", pairs),
  texts("--group-add <group>", "further group of the user", "GroupAdd"),
  yes("--init", "run a small init inside", "Init"),
  yes("--rm", "remove it when it has ended", "AutoRemove"),
  text("--runtime <name>", "OCI runtime to run it", "Runtime"),
];

const logFlags: readonly Flag<NonNullable<HostConfig["LogConfig"]>>[] = [
  text("--log-driver <name>", "where its output is kept", "Type"),
  textsAs("--log-opt <key=value>", "option of the log driver", "Config", pairs),
];

const healthFlags: readonly Flag<NonNullable<RunConfig["Healthcheck"]>>[] = [
  textAs("--health-cmd <command>", "how to see whether it is well", "Test", shellTest),
  textAs("--health-interval <time>", "how often to look, as 30s", "Interval", duration),
  textAs("--health-timeout <time>", "how long a look may take", "Timeout", duration),
  textAs("--health-start-period <time>", "how long it may take to become well", "StartPeriod", duration),
  textAs("--health-start-interval <time>", "how often to look until then", "StartInterval", duration),
  textAs("--health-retries <n>", "how many failures in a row make it unhealthy", "Retries", integer),
];

/** The first process of a container, and how it is looked after. */
export const processFlags: readonly Flag<CreateRequest>[] = [
  ...executionFlags,
  words("--label-file <file>", "file of labels", (body, files) => {
    body.Labels = pairs(files.flatMap(linesOf), "--label-file");
  }),
  words("-l, --label <key=value>", "label", (body, given) => {
    body.Labels = { ...body.Labels, ...pairs(given, "--label") };
  }),
  text("-h, --hostname <name>", "host name inside", "Hostname"),
  text("--mac-address <address>", "hardware address on the bridge, as 02:42:ac:11:00:02", "MacAddress"),
  text("--domainname <name>", "domain name inside", "Domainname"),
  word("--entrypoint <program>", "in place of the image's", (body, program) => {
    body.Entrypoint = [program];
  }),
  yes("-i, --interactive", "keep its standard input open", "OpenStdin"),
  text("--stop-signal <signal>", "how to ask it to end", "StopSignal"),
  textAs("--stop-timeout <seconds>", "how long to wait for its end before it is killed", "StopTimeout", integer),
  ...within((body: CreateRequest) => body.HostConfig, careFlags),
  ...within((body: CreateRequest) => (body.HostConfig.LogConfig ??= {}), logFlags),
  ...within((body: CreateRequest) => (body.Healthcheck ??= {}), healthFlags),
  flag("--no-healthcheck", "do not look, whatever the image says", () => {}),
];

function shellTest(command: string): string[] {
  return ["CMD-SHELL", command];
}

/** Lines with something in them that is no comment. */
function linesOf(file: string): string[] {
  const lines = readFileSync(file, "utf8")
    .split("\n")
    .map((line) => line.trimStart());
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

/**
 * `NAME` alone takes the value it has here. One that is not set here is left out of a file's, and stands bare among the
 * options': it takes the variable away from what the image sets.
 */
function withValue(item: string): string {
  return item.includes("=") || process.env[item] === undefined ? item : `${item}=${process.env[item]}`;
}
