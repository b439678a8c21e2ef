import { DataLoss } from "../spec/index.js";

/** The text of a `config.v2.json` with another driver; all else stays byte for byte. @throws DataLoss: it names none */
export function withDriver(text: string, driver: string): string {
  let depth = 0;
  let key = "";
  // Strings, with what follows a key; and the brackets that are in no string.
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:\s*)?|[{}[\]]/g)) {
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    else if (/:\s*$/.test(token) && depth === 1) key = token.slice(0, token.lastIndexOf('"') + 1);
    else if (depth === 1 && key === '"Driver"') {
      return `${text.slice(0, index)}${JSON.stringify(driver)}${text.slice(index + token.length)}`;
    }
  }
  throw new DataLoss("config.v2.json names no driver");
}
