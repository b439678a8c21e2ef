import type { Difference, How } from "../check/finding.js";

const most = 1000;

/** Differences as they are found; of a layer that is wholly astray the first thousand. */
export class Tally {
  readonly #differences: Difference[] = [];
  #count = 0;

  add(path: string, how: How, told: { readonly found?: string; readonly expected?: string } = {}): void {
    if (this.#count++ < most) this.#differences.push({ path, how, ...told });
  }

  addAll(differences: readonly Difference[]): void {
    for (const { path, how, ...told } of differences) this.add(path, how, told);
  }

  get count(): number {
    return this.#count;
  }

  /** In the order of paths. Whatever else has befallen a file has also changed its time. */
  result(): { differences: Difference[]; more: number } {
    const changed = new Set(this.#differences.flatMap(({ path, how }) => (how === "time" ? [] : path)));
    const told = this.#differences.filter(({ path, how }) => how !== "time" || !changed.has(path));
    const differences = told.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
    return { differences, more: this.#count - this.#differences.length };
  }
}
