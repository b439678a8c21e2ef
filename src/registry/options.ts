import type { Time } from "./time.js";

export interface AbortOption {
  /** Ends the operation at once; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface BlobOptions extends AbortOption {
  /** Whether a mirror's copy will do, as it does unless told. */
  readonly mirrors?: boolean;
  /** Told before the download goes on after a failure: why, at which byte, and in how many milliseconds. */
  readonly onRetry?: (why: Error, offset: number, delayMs: number) => void;
}

export interface RegistriesOptions {
  /**
   * Hosts (`registry.example:5000`) and networks (`10.0.0.0/8`) of which no valid certificate is asked, and which are
   * spoken to in plain HTTP where there is no TLS. Loopback addresses always are such.
   */
  readonly insecure?: readonly string[];
  /** Base URLs that are asked in turn before docker.io itself, for reading only. */
  readonly mirrors?: readonly string[];
  readonly userAgent?: string;
  /** How often a request is made until it succeeds, and a download goes on after a cut. 5 unless given. */
  readonly attempts?: number;
  /** How long a registry may be silent before it counts as gone. A minute unless given. */
  readonly silenceMs?: number;
  /** A directory for each registry with certificates of its own. `/etc/docker/certs.d` unless given. */
  readonly certificates?: string;
  /** For tests: what passes time. */
  readonly time?: Partial<Time>;
}
