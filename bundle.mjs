// Makes what is shipped out of what `tsc` has compiled: the command, the library and the scripts of worker threads, each
// one module, and chunks of what they share. Loading hundreds of small modules took most of the time of a command, and of
// the start of each thread.
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "rolldown";

const src = join(import.meta.dirname, "dist/src");
const workers = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith("-worker.js"));
const entries = ["cli/main.js", "index.js", "runtime/supervisor/layerkit-supervisor.js", ...workers];

await build({
  input: Object.fromEntries(entries.map((file) => [basename(file, ".js"), join(src, file)])),
  platform: "node",
  external: ["commander", "koffi", "undici"],
  // What is not found now would not be found by the user either.
  onLog(_level, { message }) {
    throw new Error(message);
  },
  output: {
    // Flat, and as deep below the package as the modules are: workers and package.json are found from both.
    dir: "dist/bundle/esm",
    cleanDir: true,
    entryFileNames: "[name].js",
    sourcemap: true,
    keepNames: true,
  },
});
