import { LayerkitError } from "../spec/index.js";

/**
 * A process cannot be started as it is set up, or the runtime did not start it: `OCI runtime create failed: …: unknown`.
 * In Docker's words, and as there no fault of the request to start it.
 */
export class RuntimeFailure extends LayerkitError {
  readonly code = "internal";
}
