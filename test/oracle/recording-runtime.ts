import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { program } from "./programs.js";

/** An OCI runtime for dockerd that keeps what it is given, and then is `runc`, or refuses to make containers. */
export class RecordingRuntime {
  /** For `--add-runtime`. */
  readonly path: string;
  readonly #records: string;

  private constructor(path: string, records: string) {
    this.path = path;
    this.#records = records;
  }

  /** @param directory where it and its records are; made when missing */
  static async make(directory: string, { refuses = false } = {}): Promise<RecordingRuntime> {
    await mkdir(directory, { recursive: true });
    const path = join(directory, "runtime");
    const script = `#!/bin/sh
previous=
for argument; do
  case $previous in
    --bundle) cp "$argument/config.json" "${directory}/$(basename "$argument").json" ;;
    --process) cp "$argument" "${directory}/process.json" ;;
  esac
  [ "$argument" = create ] && creates=yes
  previous=$argument
done
[ "$creates" = "${refuses ? "yes" : "never"}" ] && exit 1
exec "${program("runc")}" "$@"
`;
    await writeFile(path, script, { mode: 0o755 });
    return new RecordingRuntime(path, directory);
  }

  /** `config.json` of a container it was asked to make. */
  async spec<T>(id: string): Promise<T> {
    return JSON.parse(await readFile(join(this.#records, `${id}.json`), "utf8"));
  }

  /** What it was last asked to execute in a container. */
  async process<T>(): Promise<T> {
    return JSON.parse(await readFile(join(this.#records, "process.json"), "utf8"));
  }
}
