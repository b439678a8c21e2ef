/** A JSON value that knows where in its text it stands: `at` counts UTF-16 units from the beginning. */
export type Located =
  | { readonly at: number; readonly kind: "plain"; readonly value: null | boolean | number | string }
  | { readonly at: number; readonly kind: "list"; readonly items: readonly Located[] }
  | { readonly at: number; readonly kind: "object"; readonly fields: readonly Field[] };

export interface Field {
  readonly key: string;
  readonly at: number;
  readonly value: Located;
}

/** Something in a text is not as it has to be. */
export class Misplaced extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** Each counts from 1; columns are characters. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export function placeOf(at: number, text: string): Place {
  const lines = text.slice(0, at).split("\n");
  return { line: lines.length, column: [...(lines.at(-1) ?? "")].length + 1 };
}

/** Reads a JSON text. `JSON.parse` tells no place of a value, and Node 20's often not even that of a mistake. */
export function parseLocated(text: string): Located {
  const reader = new Reader(text);
  const value = reader.value();
  reader.end();
  return value;
}

/** What the value is without its places. */
export function plainOf(node: Located): unknown {
  if (node.kind === "plain") return node.value;
  if (node.kind === "list") return node.items.map(plainOf);
  return Object.fromEntries(node.fields.map(({ key, value }) => [key, plainOf(value)]));
}

const string = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const scalar = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): Located {
    const at = this.#next();
    if (this.#take("{")) return { at, kind: "object", fields: this.#series("}", () => this.#field()) };
    if (this.#take("[")) return { at, kind: "list", items: this.#series("]", () => this.value()) };
    const token = this.#match(string) ?? this.#match(scalar);
    if (token === undefined) throw this.#wrong("a value");
    return { at, kind: "plain", value: JSON.parse(token) };
  }

  end(): void {
    if (this.#next() < this.#text.length) throw this.#wrong("the end of the file");
  }

  #field(): Field {
    const at = this.#next();
    const key = this.#match(string);
    if (key === undefined) throw this.#wrong("a key in double quotes");
    if (!this.#take(":")) throw this.#wrong(`: after ${key}`);
    return { key: JSON.parse(key), at, value: this.value() };
  }

  /** What stands between brackets, by commas. */
  #series<T>(close: string, one: () => T): T[] {
    const found: T[] = [];
    if (this.#take(close)) return found;
    do found.push(one());
    while (this.#take(","));
    if (!this.#take(close)) throw this.#wrong(`, or ${close}`);
    return found;
  }

  #take(mark: string): boolean {
    const isNext = this.#text[this.#next()] === mark;
    if (isNext) this.#at++;
    return isNext;
  }

  #match(token: RegExp): string | undefined {
    token.lastIndex = this.#at;
    const [found] = token.exec(this.#text) ?? [];
    this.#at += found?.length ?? 0;
    return found;
  }

  /** Where the next token begins. */
  #next(): number {
    while (/^[ \t\r\n]$/.test(this.#text[this.#at] ?? "")) this.#at++;
    return this.#at;
  }

  #wrong(expected: string): Misplaced {
    const at = this.#next();
    const [found = "the end of the file"] = /^(?:"[^"\n]*"?|[\w.+-]+|.)/su.exec(this.#text.slice(at)) ?? [];
    return new Misplaced(at, `expected ${expected}, found ${found.slice(0, 60)}`);
  }
}
