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
}

/** Makes the action of a command that talks to the daemon. */
export function talking<Options>(run: (session: Session<Options>) => Promise<void>) {
  return alone<Options>(async ({ settings, interrupt, ...given }) => {
    const connection = await connect(settings, interrupt.stop);
    try {
      await run({ client: connection.client, signal: interrupt.stop, ...given });
    } finally {
      await connection.end(interrupt.hurry);
    }
  });
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
 */
export function alone<Options>(
  run: (given: Alone<Options>) => Promise<void>,
  { uncaught = [] }: { readonly uncaught?: readonly NodeJS.Signals[] } = {},
) {
  return async function action(this: Command): Promise<void> {
    const globals: Globals = this.optsWithGlobals();
    const interrupt = new Interrupt(uncaught);
    let debug = globals.debug ?? false;
    try {
      const settings = await settingsOf(globals);
      debug = settings.debug;
      await run({ settings, globals, args: this.args, options: this.opts() as Options, interrupt });
    } catch (error) {
      if (interrupt.signal === undefined) process.exitCode = report(error, debug);
      else interrupt.obey();
    } finally {
      interrupt[Symbol.dispose]();
    }
  };
}
