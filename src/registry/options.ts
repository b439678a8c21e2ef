export interface AbortOption {
  /** Ends the operation at once; it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
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
}
