import { describe, expect, test } from "vitest";
import { Both } from "./oracle/both.js";
import type { Dockerd } from "./oracle/dockerd.js";
import { call, Refused } from "./oracle/engine-call.js";
import type { Layerkitd } from "./oracle/layerkitd.js";
import { layerkitMain } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { run } from "./oracle/run.js";

const skip = lacking("root", "mounts", "loop", "dockerd", "docker 28");

/** What `prune` of a kind leaves, by name, and its status. */
const pruned =
  (kind: "image" | "container", ...args: string[]) =>
  async (daemon: Dockerd | Layerkitd) => {
    const { status, stderr } = await daemon.tryDocker([kind, "prune", "--force", ...args]);
    const lists = {
      image: ["images", "-a", "--format", "{{.Repository}}:{{.Tag}}"],
      container: ["ps", "-a", "--format", "{{.Names}}"],
    };
    return [status, stderr, (await daemon.docker(...lists[kind])).split("\n").sort()];
  };

/** As clients of that version ask for it, to whom named volumes are no others. */
const prunedVolumes = (filters: Record<string, string[]>) => async (daemon: Dockerd | Layerkitd) => {
  const query = new URLSearchParams({ filters: JSON.stringify(filters) });
  try {
    const answer = await call(daemon.socket, `/v1.41/volumes/prune?${query}`, { method: "POST" });
    return [...((JSON.parse(answer) as { VolumesDeleted: string[] | null }).VolumesDeleted ?? [])].sort();
  } catch (error) {
    if (error instanceof Refused) return [error.status, error.message];
    throw error;
  }
};

async function fill(daemon: Dockerd | Layerkitd): Promise<void> {
  for (const [name, label] of [
    ["one", "k=1"],
    ["two", "k=2"],
    ["six", "other=x"],
  ] as const) {
    await daemon.docker("create", "--network", "none", "--name", name, "--label", label, "sample:1", "x");
    await daemon.docker("commit", "-c", `LABEL ${label}`, name, `made:${name}`);
    await daemon.docker("commit", "-c", `LABEL ${label}`, "-m", "untagged", name);
    await daemon.docker("volume", "create", "--label", label, name);
  }
}

describe.skipIf(skip)("prune with filters", () => {
  test("leaves with us what it leaves with dockerd", { timeout: 60_000 }, async () => {
    await using both = await Both.start();
    await both.play(fill);
    await both.play(pruned("container", "--filter", "until=1h"));
    await both.play(pruned("container", "--filter", "label=k=1"));
    await both.play(pruned("container", "--filter", "label!=k", "--filter", "label=other"));
    await both.play(pruned("container", "--filter", "until=0s", "--filter", "until=1s"));
    await both.play(pruned("container", "--filter", "bogus=1"));
    await both.play(pruned("image", "--filter", "until=1h"));
    await both.play(pruned("image", "--filter", "label=k=2"));
    await both.play(pruned("image", "--filter", "label!=k=1"));
    await both.play(pruned("image", "-a", "--filter", "label=k"));
    await both.play(pruned("image", "-a", "--filter", "until=2000-01-01"));
    await both.play(prunedVolumes({ label: ["k=1"] }));
    await both.play(prunedVolumes({ "label!": ["other"] }));
    await both.play(prunedVolumes({ until: ["1h"] }));
    await both.play(pruned("container"));
    await both.play(pruned("image", "-a"));
    const layerkit = [layerkitMain, "-H", `unix://${both.ours.socket}`, "prune", "-f"];
    expect(await run(process.execPath, [...layerkit, "--volumes", "--filter", "until=1h"])).toMatchObject({
      status: 2,
      stderr: 'layerkit: the "until" filter is not supported with "--volumes"\n',
    });
    expect(await run(process.execPath, [...layerkit, "--volumes", "--filter", "label!=k"])).toMatchObject({
      status: 0,
    });
  });
});
