import { InvalidParameter } from "./errors.js";
import { familiarName, familiarString, type Reference } from "./reference.js";

/**
 * Whether a reference matches a pattern, as the `reference` filter of image lists takes it: the pattern is tried on
 * the familiar form with tag or digest, then on the familiar name alone. `*` and `?` stop at `/`; `[a-z]`, `[^a-z]`
 * and `\` as in Go's path.Match; the whole text must match.
 *
 * @throws InvalidParameter: the pattern is malformed
 */
export function matchesReference(pattern: string, ref: Reference): boolean {
  const regexp = compiled(pattern);
  return regexp.test(familiarString(ref)) || regexp.test(familiarName(ref));
}

function compiled(pattern: string): RegExp {
  let source = "";
  for (let rest = pattern; rest !== ""; ) {
    const [token, regexp] = nextToken(rest) ?? malformed(pattern);
    source += regexp;
    rest = rest.slice(token.length);
  }
  return new RegExp(`^${source}$`, "su");
}

function malformed(pattern: string): never {
  throw new InvalidParameter(`invalid reference pattern ${JSON.stringify(pattern)}: syntax error in pattern`);
}

const literal = (char: string) => char.replace(/[\\^$.*+?()[\]{}|/]/u, "\\$&");
const item = "(?:\\\\.|[^\\\\\\]-])";
const range = new RegExp(`${item}(?:-${item})?`, "gsu");
const charClass = new RegExp(`^\\[(\\^?)((?:${item}(?:-${item})?)+)\\]`, "su");

/** The next piece of a pattern, as it stands and as a regular expression. */
function nextToken(rest: string): readonly [token: string, regexp: string] | undefined {
  if (rest[0] === "*") return ["*", "[^/]*"];
  if (rest[0] === "?") return ["?", "[^/]"];
  if (rest[0] === "[") {
    const match = charClass.exec(rest);
    return match ? [match[0], `[${match[1]}${rangesOf(match[2]!)}]`] : undefined;
  }
  if (rest[0] === "\\") return rest.length > 1 ? [rest.slice(0, 2), literal(rest[1]!)] : undefined;
  const char = String.fromCodePoint(rest.codePointAt(0)!);
  return [char, literal(char)];
}

/** A range that is the wrong way round matches nothing in Go; here it is left out. */
function rangesOf(body: string): string {
  const ranges = (body.match(range) ?? []).map((text) => [...text.matchAll(new RegExp(item, "gsu"))].map(([c]) => c));
  return ranges
    .map(([low = "", high = low]) => [low.replace("\\", "") || "\\", high.replace("\\", "") || "\\"] as const)
    .filter(([low, high]) => low.codePointAt(0)! <= high.codePointAt(0)!)
    .map(([low, high]) => `${inClass(low)}-${inClass(high)}`)
    .join("");
}

const inClass = (char: string) => `\\u{${char.codePointAt(0)!.toString(16)}}`;
