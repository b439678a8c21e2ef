import { InvalidParameter } from "../../spec/index.js";

/**
 * Splits at white space that is not quoted; quotes and backslashes stay in the words, for `expanded` to resolve.
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  const word = /(?:\\[\s\S]?|'[^']*(?:'|$)|"(?:\\[\s\S]|[^"\\])*(?:"|$)|[^\s\\'"])+/g;
  for (const match of text.matchAll(word)) words.push(match[0]);
  return words;
}

/** Environment as `NAME=VALUE` texts, where variables are looked up; of two with one name the first counts. */
export type Environment = readonly string[];

/**
 * A word with quotes and backslashes resolved and `$NAME`, `${NAME}`, `${NAME:-word}`, `${NAME:+word}`, `${NAME:?word}`
 * replaced, as Docker's builder does; inside single quotes nothing is.
 *
 * @throws InvalidParameter: a quote or brace that is not closed, an unknown modifier
 */
export function expanded(word: string, environment: Environment): string {
  const scan = new Scan(word, environment);
  return scan
    .until("")
    .map(({ text }) => text)
    .join("");
}

/** As `expanded`, then split at the white space that variables brought in outside quotes. */
export function expandedWords(word: string, environment: Environment): string[] {
  const words: string[] = [];
  let current: string | undefined;
  for (const { text, splits } of new Scan(word, environment).until("")) {
    const parts = splits ? text.split(/[ \t\n]+/) : [text];
    parts.forEach((part, at) => {
      if (at > 0 && current !== undefined) {
        words.push(current);
        current = undefined;
      }
      if (part !== "" || !splits) current = (current ?? "") + part;
    });
  }
  if (current !== undefined) words.push(current);
  return words;
}

const variableName = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#!?$-])/;

/** A piece of a word; one that came from an unquoted variable is split at white space where words are wanted. */
interface Piece {
  readonly text: string;
  readonly splits: boolean;
}

class Scan {
  readonly #text: string;
  readonly #environment: Environment;
  #at = 0;

  constructor(text: string, environment: Environment) {
    this.#text = text;
    this.#environment = environment;
  }

  /** Pieces up to `end`, which is passed over; `""` is the end of the text. */
  until(end: string): Piece[] {
    const pieces: Piece[] = [];
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined) {
        if (end === "") return pieces;
        throw this.#bad(`syntax error: missing '${end}'`);
      }
      this.#at++;
      if (char === end) return pieces;
      if (char === "'") pieces.push({ text: this.#quoted(), splits: false });
      else if (char === '"') pieces.push({ text: this.#doubleQuoted(), splits: false });
      else if (char === "\\") pieces.push({ text: this.#text[this.#at++] ?? "", splits: false });
      else if (char === "$") pieces.push({ text: this.#variable(), splits: true });
      else pieces.push({ text: char, splits: false });
    }
  }

  #quoted(): string {
    const end = this.#text.indexOf("'", this.#at);
    if (end < 0) throw this.#bad("unexpected end of statement while looking for matching single-quote");
    const text = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return text;
  }

  #doubleQuoted(): string {
    let text = "";
    for (;;) {
      const char = this.#text[this.#at++];
      if (char === undefined) throw this.#bad("unexpected end of statement while looking for matching double-quote");
      if (char === '"') return text;
      if (char === "$") text += this.#variable();
      else if (char === "\\") text += this.#escaped();
      else text += char;
    }
  }

  /** Inside double quotes a backslash escapes only these three; before others it stands for itself. */
  #escaped(): string {
    const next = this.#text[this.#at++] ?? "";
    return '"$\\'.includes(next) ? next : `\\${next}`;
  }

  #variable(): string {
    const braced = this.#text[this.#at] === "{";
    if (braced) this.#at++;
    const name = variableName.exec(this.#text.slice(this.#at))?.[0];
    if (name !== undefined) this.#at += name.length;
    else if (braced) throw this.#bad(this.#at < this.#text.length ? "bad substitution" : "syntax error: missing '}'");
    if (name === undefined) return "$";
    return braced ? this.#modified(name) : (this.#value(name) ?? "");
  }

  #modified(name: string): string {
    const value = this.#value(name);
    if (this.#text[this.#at] === "}") {
      this.#at++;
      return value ?? "";
    }
    const modifier = this.#text.slice(this.#at, this.#at + 2);
    this.#at += 2;
    if (!/^:[-+?]$/.test(modifier)) throw this.#bad(`unsupported modifier (${modifier}) in substitution`);
    const word = this.until("}")
      .map(({ text }) => text)
      .join("");
    if (modifier === ":-") return value || word;
    if (modifier === ":+") return value ? word : "";
    if (!value) throw this.#bad(`${name}: ${word === "" ? "is not allowed to be empty" : word}`);
    return value;
  }

  #value(name: string): string | undefined {
    return this.#environment.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
  }

  #bad(why: string): InvalidParameter {
    return new InvalidParameter(`failed to process ${JSON.stringify(this.#text)}: ${why}`);
  }
}
