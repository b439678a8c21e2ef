#!/usr/bin/env node
import { CommanderError } from "commander";
import { program } from "./program.js";

try {
  await program().parseAsync();
} catch (error) {
  // Commander has said what is wrong; help that was asked for is no error.
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
// An unread standard input would keep the process waiting for it.
process.stdin.destroy();
