import type { ProcessStream } from "../../engine/index.js";
import type { Answer } from "./answer.js";

/** The type of what a process writes: framed from API 1.42 on told from the raw bytes of a terminal. @see engine-api 2.1 */
export function outputType(tty: boolean, version: number): string {
  return `application/vnd.docker.${tty || version < 42 ? "raw" : "multiplexed"}-stream`;
}

/** Connects the client with a process. */
export function connected({ tty, stream }: ProcessStream, version: number): Answer {
  return { status: 200, headers: { "Content-Type": outputType(tty, version) }, hijack: stream };
}
