import { readFileSync } from "node:fs";
import type { ExecCreateBody } from "../../engine/index.js";
import type { CreateRequest } from "./create-body.js";
import { type Flag, flag, word, words } from "./flag.js";
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
  word("-w, --workdir <dir>", "working directory inside", (body, text) => {
    body.WorkingDir = text;
  }),
  word("-u, --user <user[:group]>", "who runs the command", (body, text) => {
    body.User = text;
  }),
  flag("-t, --tty", "give it a terminal", (body) => {
    body.Tty = true;
  }),
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
  words("--annotation <key=value>", "annotation for the runtime", (body, given) => {
    body.HostConfig.Annotations = pairs(given, "--annotation");
  }),
  words("--group-add <group>", "further group of the user", (body, groups) => {
    body.HostConfig.GroupAdd = groups;
  }),
  word("-h, --hostname <name>", "host name inside", (body, text) => {
    body.Hostname = text;
  }),
  word("--domainname <name>", "domain name inside", (body, text) => {
    body.Domainname = text;
  }),
  word("--entrypoint <program>", "in place of the image's", (body, text) => {
    body.Entrypoint = [text];
  }),
  flag("-i, --interactive", "keep its standard input open", (body) => {
    body.OpenStdin = true;
  }),
  flag("--init", "run a small init inside", (body) => {
    body.HostConfig.Init = true;
  }),
  flag("--rm", "remove it when it has ended", (body) => {
    body.HostConfig.AutoRemove = true;
  }),
  word("--stop-signal <signal>", "how to ask it to end", (body, text) => {
    body.StopSignal = text;
  }),
  word("--stop-timeout <seconds>", "how long to wait for its end before it is killed", (body, text) => {
    body.StopTimeout = integer(text, "--stop-timeout");
  }),
  word("--runtime <name>", "OCI runtime to run it", (body, text) => {
    body.HostConfig.Runtime = text;
  }),
  word("--log-driver <name>", "where its output is kept", (body, text) => {
    body.HostConfig.LogConfig = { ...body.HostConfig.LogConfig, Type: text };
  }),
  words("--log-opt <key=value>", "option of the log driver", (body, given) => {
    body.HostConfig.LogConfig = { ...body.HostConfig.LogConfig, Config: pairs(given, "--log-opt") };
  }),
  word("--health-cmd <command>", "how to see whether it is well", (body, text) => {
    health(body, { Test: ["CMD-SHELL", text] });
  }),
  word("--health-interval <time>", "how often to look, as 30s", (body, text) => {
    health(body, { Interval: duration(text, "--health-interval") });
  }),
  word("--health-timeout <time>", "how long a look may take", (body, text) => {
    health(body, { Timeout: duration(text, "--health-timeout") });
  }),
  word("--health-start-period <time>", "how long it may take to become well", (body, text) => {
    health(body, { StartPeriod: duration(text, "--health-start-period") });
  }),
  word("--health-start-interval <time>", "how often to look until then", (body, text) => {
    health(body, { StartInterval: duration(text, "--health-start-interval") });
  }),
  word("--health-retries <n>", "how many failures in a row make it unhealthy", (body, text) => {
    health(body, { Retries: integer(text, "--health-retries") });
  }),
  flag("--no-healthcheck", "do not look, whatever the image says", () => {}),
];

function health(body: CreateRequest, fields: object): void {
  body.Healthcheck = { ...body.Healthcheck, ...fields };
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
