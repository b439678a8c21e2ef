import { LayerkitError } from "../spec/index.js";

/** The runtime did not start a process, in Docker's words: `OCI runtime create failed: …: unknown`. */
export class RuntimeFailure extends LayerkitError {
  readonly code = "internal";
}
