import { DataLoss } from "../spec/index.js";
import type { Answer } from "./exchange.js";
import { bytesOf } from "./failure.js";
import { httpURL } from "./url.js";

const largestPage = 16 * 1024 * 1024;
const mostPages = 10_000;

/** One page of tags, and where the next one is. */
export interface TagPage {
  readonly tags: readonly string[];
  readonly next: URL | undefined;
}

/**
 * The tags of all pages.
 *
 * @throws DataLoss: a list without an end
 */
export async function tagsOf(first: string, get: (page: string | URL) => Promise<TagPage>): Promise<string[]> {
  const all: string[] = [];
  const seen = new Set<string>();
  for (let page: string | URL | undefined = first; page !== undefined; ) {
    if (seen.has(String(page)) || seen.size >= mostPages) throw new DataLoss(`the list of tags ${first} has no end`);
    seen.add(String(page));
    const { tags, next } = await get(page);
    for (const tag of tags) all.push(tag);
    page = next;
  }
  return all;
}

/** @throws DataLoss: not a list of tags */
export async function tagPageIn(answer: Answer): Promise<TagPage> {
  const where = `${answer.url.host}${answer.url.pathname}`;
  return { tags: tagsIn(await bytesOf(answer, largestPage, where), where), next: nextOf(answer) };
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
