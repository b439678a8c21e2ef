import type { Command } from "commander";
import type { Client } from "./client.js";
import { connect } from "./connect.js";
import { report } from "./failure.js";
import { Interrupt } from "./interrupt.js";
import { type Globals, type Settings, settingsOf } from "./settings.js";

/** What a command works with. */
export interface Session<Options> {
  readonly client: Client;
  readonly args: readonly string[];
  readonly options: Options;
  /** Fires when the user interrupts. */
  readonly signal: AbortSignal;
  readonly interrupt: Interrupt;
}

/**
 * Makes the action of a command that talks to the daemon.
 *
 * @param connections how many requests it makes at once
 */
export function talking<Options>(
  run: (session: Session<Options>) => Promise<void>,
  { connections = 1, ...how }: { readonly connections?: number; readonly failed?: number } = {},
) {
  return alone<Options>(async ({ settings, interrupt, ...given }) => {
    const connection = await connect(settings, interrupt.stop, connections);
    try {
      await run({ client: connection.client, signal: interrupt.stop, interrupt, ...given });
    } finally {
      await connection.end(interrupt.hurry);
    }
  }, how);
}

export interface Alone<Options> {
  readonly settings: Settings;
  /** What of it stands on the command line. */
  readonly globals: Globals;
  readonly args: readonly string[];
  readonly options: Options;
  readonly interrupt: Interrupt;
}

/**
 * Makes the action of a command that goes its own way: no daemon is looked for. Sets the exit status.
 *
 * @param uncaught signals that do not ask this command to end
 * @param failed its exit status when it fails, where 1 and 2 may be those of a program it runs
 */
export function alone<Options>(
  run: (given: Alone<Options>) => Promise<void>,
  { uncaught = [], failed }: { readonly uncaught?: readonly NodeJS.Signals[]; readonly failed?: number } = {},
) {
  return async function action(this: Command): Promise<void> {
    const globals = globalsOf(this);
    const interrupt = new Interrupt(uncaught);
    let debug = globals.debug ?? false;
    try {
      const settings = await settingsOf(globals);
      debug = settings.debug;
      await run({ settings, globals, args: this.args, options: this.opts() as Options, interrupt });
    } catch (error) {
      if (interrupt.signal === undefined) process.exitCode = report(error, debug, failed);
      else interrupt.obey();
    } finally {
      interrupt[Symbol.dispose]();
    }
  };
}

/** What stands before the command, or after it where it takes these itself. Others have options of the same names. */
function globalsOf(command: Command): Globals {
  const takes = command.options.some(({ long }) => long === "--root");
  return { ...command.parent?.opts(), ...(takes && command.opts()) };
}
