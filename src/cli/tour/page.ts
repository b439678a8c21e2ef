import type { Writable } from "node:stream";

const width = 96;
const indent = "  ";

/** Styles a terminal shows; in a pipe, or with NO_COLOR set, they are plain text. */
export interface Styles {
  bold(text: string): string;
  dim(text: string): string;
  /** A name on disk, or a value read from it. */
  value(text: string): string;
  /** What was added. */
  added(text: string): string;
  /** What is hidden or deleted. */
  gone(text: string): string;
  /** What was changed. */
  changed(text: string): string;
}

/** A walk-through printed as it happens: numbered headings, paragraphs filled to the page's width, tables. */
export class Page {
  readonly styles: Styles;
  readonly #out: Writable;
  #sections = 0;

  constructor(out: Writable, colour: boolean) {
    this.#out = out;
    const style = (code: number) => (text: string) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
    this.styles = {
      bold: style(1),
      dim: style(2),
      value: style(36),
      added: style(32),
      gone: style(31),
      changed: style(33),
    };
  }

  title(text: string): void {
    this.#write(`\n${this.styles.bold(text)}\n${this.styles.dim("═".repeat(visibleLength(text)))}\n`);
  }

  /** Begins the next section. */
  section(text: string): void {
    const heading = `${++this.#sections}. ${text}`;
    this.#write(`\n\n${this.styles.bold(heading)}\n${this.styles.dim("─".repeat(heading.length))}\n`);
  }

  /** A paragraph: words flow, whatever line ends `text` has. */
  text(text: string): void {
    const lines = [""];
    for (const word of text.split(/\s+/).filter(Boolean)) {
      const line = lines.at(-1) as string;
      if (line !== "" && visibleLength(line) + 1 + visibleLength(word) > width) lines.push(word);
      else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
    }
    this.#write(`\n${lines.join("\n")}\n`);
  }

  /** Lines as they are, set in; what is wider than the page goes on in the next line, further in. */
  lines(lines: readonly string[]): void {
    for (const line of lines) this.#write(`${folded(line).join("\n")}\n`);
  }

  /** Columns as wide as their widest cell, the last one free. */
  table(rows: readonly (readonly string[])[]): void {
    const columns = Math.max(0, ...rows.map((row) => row.length - 1));
    const widths = Array.from({ length: columns }, (_, i) =>
      Math.max(...rows.map((row) => (i < row.length - 1 ? visibleLength(row[i] ?? "") : 0))),
    );
    const cells = (row: readonly string[]) => row.map((cell, i) => (i < row.length - 1 ? pad(cell, widths[i]) : cell));
    this.lines(rows.map((row) => cells(row).join("  ").trimEnd()));
  }

  gap(): void {
    this.#write("\n");
  }

  #write(text: string): void {
    this.#out.write(text);
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences of our own styles
const escapes = /\x1b\[\d+m/g;

function visibleLength(text: string): number {
  return text.replace(escapes, "").length;
}

function pad(cell: string, length = 0): string {
  return cell + " ".repeat(Math.max(0, length - visibleLength(cell)));
}

/** Styled lines are left alone: a cut could fall into an escape sequence. */
function folded(line: string): string[] {
  const room = width - indent.length;
  if (visibleLength(line) <= room || line !== line.replace(escapes, "")) return [indent + line];
  const pieces = [line.slice(0, room)];
  for (let at = room; at < line.length; at += room - 4) pieces.push(`    ${line.slice(at, at + room - 4)}`);
  return pieces.map((piece) => indent + piece);
}
