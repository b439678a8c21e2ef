import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { Unavailable } from "../../spec/index.js";

/** Where distributions and the CNI project itself put plugins. */
const places = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni", "/usr/local/libexec/cni"];

/** What of a container a plugin works on. */
export interface CNITarget {
  /** Container id. */
  readonly id: string;
  /** Path of its network namespace. */
  readonly namespace: string;
  /** Name of the interface in there. */
  readonly interface: string;
}

/** A plugin's configuration, without the keys that all have. */
export type CNIConfig = { readonly type: string } & Readonly<Record<string, unknown>>;

/** What `ADD` answers; each plugin of a chain is given that of the one before. */
export type CNIResult = Readonly<Record<string, unknown>>;

/** The Container Network Interface plugins of this system. @see CNI specification 1.0.0 */
export class CNI {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Those of the first directory that has all of `needed`. @throws Unavailable: there is none */
  static find(needed: readonly string[], directories: readonly string[] = places): CNI {
    const directory = directories.find((each) => needed.every((name) => isExecutable(join(each, name))));
    if (directory !== undefined) return new CNI(directory);
    throw new Unavailable(
      `a network with a bridge needs the CNI plugins ${needed.join(" and ")}, which are not in ${directories.join(", ")}: ` +
        "install them (Debian: containernetworking-plugins), or use the network none or host",
    );
  }

  has(plugin: string): boolean {
    return isExecutable(join(this.#directory, plugin));
  }

  /**
   * Runs plugins one after the other. All or nothing: what was done is undone when a later one fails.
   *
   * @throws Unavailable: with the plugin's own words
   */
  async add(network: string, chain: readonly CNIConfig[], target: CNITarget): Promise<CNIResult> {
    let prevResult: CNIResult | undefined;
    for (const [index, config] of chain.entries()) {
      try {
        const said = await this.#run(
          "ADD",
          { ...config, ...named(network), ...(prevResult && { prevResult }) },
          target,
        );
        prevResult = JSON.parse(said) as CNIResult;
      } catch (error) {
        await this.delete(network, chain.slice(0, index + 1), target).catch(() => {});
        throw error;
      }
    }
    return prevResult ?? {};
  }

  /** Undoes `add`, the last plugin first; what is gone already is no error. */
  async delete(network: string, chain: readonly CNIConfig[], target: CNITarget): Promise<void> {
    for (const config of chain.toReversed()) await this.#run("DEL", { ...config, ...named(network) }, target);
  }

  #run(command: "ADD" | "DEL", config: CNIConfig, target: CNITarget): Promise<string> {
    const env = {
      PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin",
      CNI_COMMAND: command,
      CNI_CONTAINERID: target.id,
      CNI_NETNS: target.namespace,
      CNI_IFNAME: target.interface,
      CNI_PATH: this.#directory,
    };
    return answerOf(join(this.#directory, config.type), env, JSON.stringify(config));
  }
}

function named(name: string) {
  return { cniVersion: "1.0.0", name };
}

/** What a plugin answers to its configuration. @throws Unavailable: in its words */
function answerOf(path: string, env: NodeJS.ProcessEnv, input: string): Promise<string> {
  const child = spawn(path, { env, stdio: ["pipe", "pipe", "pipe"] });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  child.stdin.on("error", () => {}); // it may fail before it reads
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Unavailable(`CNI plugin ${path}: ${error.message}`, { cause: error })));
    child.once("close", (status) => {
      const said = Buffer.concat(out).toString();
      if (status === 0) resolve(said);
      else reject(new Unavailable(`CNI plugin ${path}: ${failureIn(said) || Buffer.concat(err).toString().trim()}`));
    });
  });
}

/** Plugins tell a failure as JSON on their standard output. */
function failureIn(said: string): string {
  try {
    const { msg = "", details = "" } = JSON.parse(said) as { msg?: string; details?: string };
    return [msg, details].filter((text) => text !== "").join(": ");
  } catch {
    return said.trim();
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
