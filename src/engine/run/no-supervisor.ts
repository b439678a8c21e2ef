import type { Supervisor } from "../../runtime/index.js";
import { Forbidden } from "../../spec/index.js";

async function refuse(): Promise<never> {
  throw new Forbidden("the data root was opened to be read only");
}

async function* none(): AsyncGenerator<never> {}

/** In place of a supervisor where nothing may change. */
export const noSupervisor: Supervisor = {
  ...{
    start: refuse,
    exec: refuse,
    attach: refuse,
    abandon: refuse,
    resize: refuse,
    kill: refuse,
    acknowledge: refuse,
  },
  list: async () => [],
  exits: none,
  async [Symbol.asyncDispose]() {},
};
