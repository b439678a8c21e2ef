import type { ProgressMessage } from "../engine/index.js";
import { size } from "./format/size.js";
import { write } from "./print.js";

/** Where progress goes: `columns` when it is a terminal. */
export interface Screen {
  readonly columns?: number | undefined;
  write(text: string): Promise<void>;
}

const stdout: Screen = {
  get columns() {
    return columnsOf(process.stdout);
  },
  write,
};

/** For commands whose standard output is their result. */
export const stderr: Screen = {
  get columns() {
    return columnsOf(process.stderr);
  },
  write: async (text) => void process.stderr.write(text),
};

/** A terminal that does not tell its width says 0. */
function columnsOf({ isTTY, columns }: NodeJS.WriteStream): number | undefined {
  return isTTY ? columns || 80 : undefined;
}

/**
 * Shows a stream of progress messages: on a terminal one line an id with a bar, updated in place; in a pipe only the
 * messages that say something final.
 *
 * @throws Error: the stream tells of one
 */
export async function showProgress(messages: AsyncIterable<ProgressMessage>, screen: Screen = stdout): Promise<void> {
  const lines = new Map<string, string>();
  for await (const message of untilFailure(messages)) {
    if (message.aux) continue;
    const { columns } = screen;
    if (columns !== undefined && message.id !== undefined) await redraw(lines, message, columns, screen);
    else if (!hasNumbers(message)) await screen.write(textOf(message));
    if (message.id === undefined) lines.clear();
  }
}

/** The messages as they come. @throws Error: one of them tells of a failure */
export async function* untilFailure(messages: AsyncIterable<ProgressMessage>): AsyncGenerator<ProgressMessage> {
  for await (const message of messages) {
    if (message.errorDetail) throw new Error(message.errorDetail.message);
    yield message;
  }
}

async function redraw(lines: Map<string, string>, message: ProgressMessage, columns: number, screen: Screen) {
  const id = message.id ?? "";
  if (!lines.has(id)) await screen.write("\n");
  lines.set(id, `${id}: ${message.status ?? ""} ${bar(message, columns)}`.trimEnd().slice(0, columns));
  const up = lines.size - [...lines.keys()].indexOf(id);
  await screen.write(`\x1b[${up}A\r\x1b[2K${lines.get(id)}\x1b[${up}B\r`);
}

function bar({ progress, progressDetail }: ProgressMessage, columns: number): string {
  const { current, total } = progressDetail ?? {};
  if (current === undefined) return progress ?? "";
  if (!total || total < current) return size(current, 4);
  const width = Math.min(50, columns - 60);
  const numbers = `${size(current, 4)}/${size(total, 4)}`;
  if (width < 5) return numbers;
  const filled = Math.round((current / total) * width);
  return `[${`${"=".repeat(filled)}>`.slice(0, width).padEnd(width)}] ${numbers}`;
}

function hasNumbers({ progressDetail }: ProgressMessage): boolean {
  return progressDetail?.current !== undefined || progressDetail?.total !== undefined;
}

function textOf({ id, status, stream }: ProgressMessage): string {
  if (stream !== undefined) return stream;
  return `${id === undefined ? "" : `${id}: `}${status ?? ""}\n`;
}
