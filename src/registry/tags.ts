import { DataLoss } from "../spec/index.js";
import type { Answer } from "./exchange.js";
import { bytesOf } from "./failure.js";
import { httpURL } from "./url.js";

const largestPage = 16 * 1024 * 1024;
const mostPages = 10_000;

/**
 * The tags of all pages.
 *
 * @throws DataLoss: not a list of tags, or one without an end
 */
export async function tagsOf(first: string, get: (page: string | URL) => Promise<Answer>): Promise<string[]> {
  const tags: string[] = [];
  const seen = new Set<string>();
  for (let page: string | URL | undefined = first; page !== undefined; ) {
    if (seen.has(String(page)) || seen.size >= mostPages) throw new DataLoss(`the list of tags ${first} has no end`);
    seen.add(String(page));
    const answer = await get(page);
    tags.push(...tagsIn(await bytesOf(answer, largestPage, `the list of tags ${first}`), first));
    page = nextOf(answer);
  }
  return tags;
}

function tagsIn(bytes: Uint8Array, where: string): string[] {
  try {
    const { tags } = JSON.parse(Buffer.from(bytes).toString()) as { tags: unknown };
    if (tags === null) return [];
    if (Array.isArray(tags) && tags.every((tag) => typeof tag === "string")) return tags;
  } catch {}
  throw new DataLoss(`${where} did not answer with a list of tags`);
}

/** @see RFC 8288; OCI distribution-spec, "Listing Tags" */
function nextOf(answer: Answer): URL | undefined {
  const [, target] = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(answer.header("link") ?? "") ?? [];
  return target === undefined ? undefined : httpURL(target, answer.url);
}
