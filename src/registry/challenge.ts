/** How a server wants to be told who asks. @see RFC 9110, section 11.6.1 */
export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const parameter = new RegExp(`^\\s*,?\\s*(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))`);
const scheme = new RegExp(`^\\s*,?\\s*(${token})(?=\\s|,|$)`);

/** The challenges of a `WWW-Authenticate` header; several headers are joined by commas. What is none ends the list. */
export function challengesIn(header: string | undefined): Challenge[] {
  const challenges: Challenge[] = [];
  let rest = header ?? "";
  for (let match = scheme.exec(rest); match; match = scheme.exec(rest)) {
    rest = rest.slice(match[0].length);
    const parameters: Record<string, string> = {};
    for (let found = parameter.exec(rest); found; found = parameter.exec(rest)) {
      parameters[found[1]!.toLowerCase()] = found[3] ?? found[2]!.replace(/\\(.)/g, "$1");
      rest = rest.slice(found[0].length);
    }
    challenges.push({ scheme: match[1]!.toLowerCase(), parameters });
  }
  return challenges;
}
