import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Tests run as compiled: what is tested is what is shipped, and worker threads find their scripts. */
export default defineConfig({
  test: {
    include: ["dist/**/*.test.js"],
    globalSetup: "dist/test/setup/global.js",
    // The product is loaded by Node itself; only test files go through vite.
    server: { deps: { external: [/\/dist\/(?!.*\.test\.js)/] } },
    setupFiles: "dist/test/setup/threads.js",
    pool: "forks",
    // A process of its own for each file would spend half of the time on loading the same modules; tests share no state.
    isolate: false,
    // Tests wait for disks and daemons: one more at a time than there are processors.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
