/** One request, as it goes over the wire. */
export interface Request {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
}

/** What came back. The body has to be read, or discarded. */
export interface Answer {
  readonly status: number;
  /** What was asked, in the end. */
  readonly url: URL;
  header(name: string): string | undefined;
  /** Rejects as requests do. */
  body(): AsyncIterable<Uint8Array>;
  discard(): Promise<void>;
}
