import { syncBuiltinESMExports } from "node:module";
import { basename } from "node:path";
import threads from "node:worker_threads";

// For every test process: the product's threads run their scripts as they are shipped, each one module. As compiled they
// are made of a hundred, and tests start so many threads that loading those took a tenth of the time of all.

const shipped = new URL("../../bundle/esm/", import.meta.url);

threads.Worker = class extends threads.Worker {
  constructor(script: string | URL, options?: threads.WorkerOptions) {
    const isOurs = script instanceof URL && /\/dist\/src\/.*-worker\.js$/.test(script.pathname);
    super(isOurs ? new URL(basename(script.pathname), shipped) : script, options);
  }
};
syncBuiltinESMExports();
