import { join } from "node:path";
import { answerOf, isExecutable } from "./program.js";

/** Where distributions and the CNI project itself put plugins. */
export const cniDirectories = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni", "/usr/local/libexec/cni"];

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

  /** Those of the first directory that has all of `needed`; undefined: there is none. */
  static find(needed: readonly string[], directories: readonly string[] = cniDirectories): CNI | undefined {
    const directory = directories.find((each) => needed.every((name) => isExecutable(join(each, name))));
    return directory === undefined ? undefined : new CNI(directory);
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
      CNI_COMMAND: command,
      CNI_CONTAINERID: target.id,
      CNI_NETNS: target.namespace,
      CNI_IFNAME: target.interface,
      CNI_PATH: this.#directory,
    };
    return answerOf(join(this.#directory, config.type), [], { env, input: JSON.stringify(config) });
  }
}

function named(name: string) {
  return { cniVersion: "1.0.0", name };
}
