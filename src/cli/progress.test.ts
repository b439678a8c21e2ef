import { expect, test } from "vitest";
import type { ProgressMessage } from "../engine/index.js";
import { showProgress } from "./progress.js";

async function shown(messages: readonly ProgressMessage[], columns?: number): Promise<string> {
  const written: string[] = [];
  const source = (async function* () {
    yield* messages;
  })();
  await showProgress(source, { columns, write: async (piece) => void written.push(piece) });
  return written.join("");
}

const loading = (id: string, current: number): ProgressMessage => ({
  id,
  status: "Loading layer",
  progressDetail: { current, total: 4_000_000 },
});

test("in a pipe only what is final is printed", async () => {
  const said = await shown([
    loading("a", 1),
    loading("a", 4_000_000),
    { stream: "Loaded image: x:1\n" },
    { status: "done" },
  ]);
  expect(said).toBe("Loaded image: x:1\ndone\n");
});

test("on a terminal each id has a line of its own, with a bar, redrawn in place", async () => {
  const said = await shown([loading("a", 2_000_000), loading("b", 0), loading("a", 4_000_000)], 80);
  expect(onScreen(said)).toEqual([
    "a: Loading layer [====================] 4MB/4MB",
    "b: Loading layer [>                   ] 0B/4MB",
    "",
  ]);
});

test("a line longer than the terminal is cut, so that it stays one line", async () => {
  expect(onScreen(await shown([loading("a".repeat(100), 0)], 30))).toEqual(["a".repeat(30), ""]);
});

test("an error in the stream is thrown, others of its fields are not enough", async () => {
  await expect(shown([{ errorDetail: { message: "no tar" }, error: "no tar" }])).rejects.toThrow("no tar");
  expect(await shown([{ error: "ignored" }])).toBe("\n");
});

/** What a terminal shows after these bytes: as much of VT100 as is used. */
function onScreen(text: string): string[] {
  const lines = [""];
  let at = 0;
  for (const token of text.replaceAll("\x1b", "␛").match(/␛\[\d+[A-Z]|[\r\n]|[^␛\r\n]+/g) ?? []) {
    const [, count = "", move] = /␛\[(\d+)([A-Z])/.exec(token) ?? [];
    if (move === "A") at = Math.max(0, at - Number(count));
    else if (move === "B") at = Math.min(lines.length - 1, at + Number(count));
    else if (move === "K") lines[at] = "";
    else if (token === "\n") at = lines[at + 1] === undefined ? lines.push("") - 1 : at + 1;
    else if (token !== "\r") lines[at] += token;
  }
  return lines;
}
