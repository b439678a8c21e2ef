import { InvalidParameter, parseSize } from "../../spec/index.js";

export interface Overlay2Options {
  /** Bytes that a writable layer may take when its own options say nothing. */
  readonly size?: number;
  /** An older kernel than Docker asks for is tried all the same. */
  readonly overrideKernelCheck?: boolean;
}

/** @param options `KEY=VALUE`, as `--storage-opt` gives them @throws InvalidParameter with Docker's messages */
export function parseOptions(options: readonly string[]): Overlay2Options {
  let parsed: Overlay2Options = {};
  for (const option of options) {
    const equals = option.indexOf("=");
    if (equals < 1) throw new InvalidParameter(`Unable to parse key/value option: ${option}`);
    const key = option.slice(0, equals).toLowerCase();
    const value = option.slice(equals + 1);
    if (key === "overlay2.size") parsed = { ...parsed, size: parseSize(value) };
    else if (key === "overlay2.override_kernel_check")
      parsed = { ...parsed, overrideKernelCheck: booleanOf(key, value) };
    else throw new InvalidParameter(`overlay2: unknown option ${key}`);
  }
  return parsed;
}

/** The spellings are those of Go. */
function booleanOf(key: string, value: string): boolean {
  if (!/^(1|0|t|f|true|false)$/i.test(value)) throw new InvalidParameter(`${key}: want true or false, not '${value}'`);
  return /^(1|t|true)$/i.test(value);
}

/** The limit for a layer; 0 for none. @param storage a writable layer's options; absent for an image layer */
export function sizeLimit(storage: Readonly<Record<string, string>> | undefined, options: Overlay2Options): number {
  if (storage === undefined) return 0;
  let size = options.size ?? 0;
  for (const [key, value] of Object.entries(storage)) {
    if (key.toLowerCase() !== "size") throw new InvalidParameter(`Unknown option ${key}`);
    size = parseSize(value);
  }
  return size;
}
