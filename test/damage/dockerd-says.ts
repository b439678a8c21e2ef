import { Dockerd } from "../oracle/dockerd.js";
import { scratch } from "../oracle/scratch.js";
import { damages } from "./damages.js";
import { app, child, dockerRoot, type OverlayDriver } from "./docker-root.js";
import { RootAt } from "./root-at.js";

/**
 * What a real dockerd does on a root with each of the damages: what docs/damage.md says of it. One line of JSON a
 * damage. Takes minutes; `node dist/test/damage/dockerd-says.js [overlay] [KIND…]`.
 */
const [first, ...rest] = process.argv.slice(2);
const driver: OverlayDriver = first === "overlay" ? "overlay" : "overlay2";
const kinds = first === "overlay" || first === undefined ? rest : [first, ...rest];

await using into = await scratch();
const saved = into.path;

const asked: Readonly<Record<string, readonly string[]>> = {
  images: ["images", "--format", "{{.Repository}}:{{.Tag}}"],
  containers: ["ps", "--all", "--format", "{{.Names}}"],
  "run image": ["run", "--rm", "--network", "none", app, "true"],
  "run child": ["run", "--rm", "--network", "none", child, "true"],
  "start ran": ["start", "--attach", "ran"],
  "start fresh": ["start", "--attach", "fresh"],
  "diff ran": ["diff", "ran"],
  "save image": ["save", "--output", `${saved}/app.tar`, app],
  "save child": ["save", "--output", `${saved}/child.tar`, child],
  "rm ran": ["rm", "ran"],
  "rmi child": ["rmi", "--force", child],
};

await using root = await dockerRoot(driver);
for (const damage of [undefined, ...damages]) {
  if (damage && ((damage.only && damage.only !== driver) || (kinds.length > 0 && !kinds.includes(damage.kind))))
    continue;
  const at = new RootAt(await root.copy(), driver);
  const end = damage?.end?.bind(damage, at);
  await damage?.make(at);
  const says = await sayings(at.path);
  await end?.();
  console.log(JSON.stringify({ kind: damage?.kind ?? "none", name: damage?.name, ...says }));
}

async function sayings(path: string): Promise<object> {
  try {
    await using dockerd = await Dockerd.start(path, { driver });
    const says: Record<string, string> = {};
    for (const [what, args] of Object.entries(asked)) {
      const { status, stdout, stderr } = await dockerd.tryDocker(args, { timeoutMs: 10_000 });
      const isList = ["images", "containers"].includes(what);
      says[what] =
        status === 0
          ? isList
            ? stdout.trim().split("\n").sort().join(" ")
            : "ok"
          : `${status}: ${stderr.trim().slice(-300)}`;
    }
    return says;
  } catch (error) {
    return {
      start: error instanceof Error ? error.message.split("\n").slice(-3).join(" | ").slice(-600) : String(error),
    };
  }
}
