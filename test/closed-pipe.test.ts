import { expect, test } from "vitest";
import { layerkitMain } from "./oracle/layerkitd.js";
import { run } from "./oracle/run.js";
import { scratch } from "./oracle/scratch.js";

test.for(["--help", "help load", "images", "info", "version", "images --format json"])(
  "%s ends quietly when nobody reads what it prints",
  async (command) => {
    await using place = await scratch();
    const layerkit = `${process.execPath} ${layerkitMain} --root ${place.path}/root --storage-driver vfs`;
    // true(1) has ended long before Node has started.
    const ran = await run("sh", ["-c", `${layerkit} ${command} | true`], { timeoutMs: 20_000 });
    expect(ran).toMatchObject({ stderr: "", status: 0 });
  },
);
