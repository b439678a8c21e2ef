import { Command } from "commander";
import { pathPart, type Query } from "../client.js";
import { each } from "../failure.js";
import { print } from "../print.js";
import { talking } from "../session.js";

/** A command that has something done to containers, and prints their names. */
function told<Options>(word: string, description: string, query: (options: Options) => Query = () => ({})): Command {
  return new Command(word)
    .description(description)
    .argument("<container...>")
    .action(
      talking<Options>(async ({ client, args, options }) => {
        await each(args, async (name) => {
          await client.tell("POST", `/containers/${pathPart(name)}/${word}`, { query: query(options) });
          await print(name);
        });
      }),
    );
}

interface StopOptions {
  readonly timeout?: string;
  readonly signal?: string;
}

const stopQuery = ({ timeout: t, signal }: StopOptions) => ({ t, signal });

function stopping(word: string, description: string): Command {
  return told<StopOptions>(word, description, stopQuery)
    .option("-t, --timeout <seconds>", "how long to wait for its end before it is killed; -1: for ever")
    .option("-s, --signal <signal>", "how to ask it to end");
}

export function stopCommand(): Command {
  return stopping("stop", "ask containers to end, and wait until they have");
}

export function restartCommand(): Command {
  return stopping("restart", "stop containers that run, and start them");
}

export function killCommand(): Command {
  return told<{ signal: string }>("kill", "send containers a signal", ({ signal }) => ({ signal })).option(
    "-s, --signal <signal>",
    "which one",
    "KILL",
  );
}

export function pauseCommand(): Command {
  return told("pause", "freeze all processes of containers");
}

export function unpauseCommand(): Command {
  return told("unpause", "let paused containers go on");
}
