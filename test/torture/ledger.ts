/** What names (of images, of containers) stand for: the id, `undefined` for nothing. */
export type Changes = ReadonlyMap<string, string | undefined>;

/** In place of an id that only the engine knows before it has answered. */
export const someID = "some id";

/** What an engine has acknowledged, and what it was about to do: what a disaster may leave. */
export class Ledger {
  #facts = new Map<string, string>();
  readonly #pending = new Set<Changes>();
  /** How many operations have been acknowledged. */
  operations = 0;

  /** Does work that makes `changes` true when it resolves; until then, and if it never does, they may be. */
  async during<T>(changes: Changes, work: () => Promise<T>, made: (result: T) => Changes = () => changes): Promise<T> {
    this.#pending.add(changes);
    const result = await work();
    for (const [name, id] of made(result)) this.#set(name, id);
    this.#pending.delete(changes);
    this.operations++;
    return result;
  }

  #set(name: string, id: string | undefined): void {
    if (id === undefined) this.#facts.delete(name);
    else this.#facts.set(name, id);
  }

  /** As it is now, whatever comes after. */
  copy(): Ledger {
    const copy = Ledger.of(this.#facts);
    for (const changes of this.#pending) copy.#pending.add(changes);
    copy.operations = this.operations;
    return copy;
  }

  /** One that knows for sure. */
  static of(facts: ReadonlyMap<string, string>): Ledger {
    const ledger = new Ledger();
    ledger.#facts = new Map(facts);
    return ledger;
  }

  /** What stands under these names must be what was acknowledged, or what was about to be. @returns a line a loss */
  compare(found: ReadonlyMap<string, string>): string[] {
    const pending = [...this.#pending];
    const names = new Set([...this.#facts.keys(), ...found.keys()]);
    return [...names].flatMap((name) => {
      const about = pending.filter((changes) => changes.has(name)).map((changes) => changes.get(name));
      const allowed = [this.#facts.get(name), ...about];
      const id = found.get(name);
      if (allowed.includes(id) || (id !== undefined && allowed.includes(someID))) return [];
      return [`${name} is ${id ?? "gone"}, should be ${allowed.map((each) => each ?? "gone").join(" or ")}`];
    });
  }

  get isIdle(): boolean {
    return this.#pending.size === 0;
  }
}
