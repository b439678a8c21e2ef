import { RuntimeFailure } from "../../runtime/index.js";
import { InvalidParameter, messageOf } from "../../spec/index.js";

/** A start that came to nothing: what is told, and which exit code it leaves. */
export interface StartFailure {
  readonly error: unknown;
  /** 126: cannot be run; 127: not there; of anything else none is known. */
  readonly exitCode?: number;
}

const notThere = ["executable file not found", "no such file or directory", "system cannot find the file specified"];

/** What dockerd makes of a runtime's words. @param command the program that was to be run */
export function startFailure(command: string, error: unknown): StartFailure {
  const said = messageOf(error);
  // What containerd puts in front, and clients know.
  const message = said.startsWith("OCI runtime create failed") ? `failed to create shim task: ${said}` : said;
  const says = (text: string) => message.toLowerCase().includes(text.toLowerCase());
  const invalid = (text = message) => new InvalidParameter(text, { cause: error });
  if (says("not a directory")) {
    const hint =
      "Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type";
    return { exitCode: 127, error: invalid(`${message}: ${hint}`) };
  }
  if (says("permission denied")) return { exitCode: 126, error: invalid() };
  if (says(command) && notThere.some(says)) return { exitCode: 127, error: invalid() };
  return { error: message === said ? error : new RuntimeFailure(message, { cause: error }) };
}
