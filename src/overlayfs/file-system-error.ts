/** What the kernel would answer; `code` as in Node's errors, so that spec's `isErrno` knows it. */
export class FileSystemError extends Error {
  readonly code: string;
  readonly path: string;
  constructor(code: string, path: string, why: string) {
    super(`${code}: ${why}, '${path}'`);
    this.code = code;
    this.path = path;
  }
  override get name(): string {
    return "FileSystemError";
  }
}
