#!/usr/bin/env node
import { CommanderError } from "commander";
import { isErrno } from "../spec/index.js";
import { program } from "./program.js";

// A reader that has enough, as in `layerkit images | head -1`, is no failure: whoever writes is told by the write.
process.stdout.on("error", (error) => {
  if (!isErrno(error, "EPIPE")) throw error;
});

const layerkit = program();
try {
  await layerkit.parseAsync();
} catch (error) {
  // Commander has said what is wrong; help that was asked for is no error.
  if (!(error instanceof CommanderError)) throw error;
  // Of run, 2 would be the program's.
  const wrongUsage = layerkit.args[0] === "run" ? 125 : 2;
  process.exitCode = error.exitCode === 0 ? 0 : wrongUsage;
}
// An unread standard input would keep the process waiting for it.
process.stdin.destroy();
