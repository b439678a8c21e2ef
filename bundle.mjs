// Makes what is shipped out of what `tsc` has compiled: the command and the library, which share chunks, and the supervisor
// and the scripts of worker threads, each one module. Loading hundreds of small modules took most of the time of a command,
// and of the start of each thread; chunks that threads share with the command took a fifth of both.
import { readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "rolldown";

const src = join(import.meta.dirname, "dist/src");
// Flat, and as deep below the package as the modules are: workers and package.json are found from both.
const dir = join(import.meta.dirname, "dist/bundle/esm");
const workers = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith("-worker.js"));
const alone = ["runtime/supervisor/layerkit-supervisor.js", ...workers];

rmSync(dir, { recursive: true, force: true });
for (const entries of [["cli/main.js", "index.js"], ...alone.map((file) => [file])]) {
  await build({
    input: Object.fromEntries(entries.map((file) => [basename(file, ".js"), join(src, file)])),
    platform: "node",
    external: ["commander", "koffi", "undici"],
    // What is not found now would not be found by the user either.
    onLog(_level, { message }) {
      throw new Error(message);
    },
    output: { dir, entryFileNames: "[name].js", sourcemap: true, keepNames: true },
  });
}
