/**
 * What has to be taken back if a sequence of steps fails: taken with `await using`, it runs the steps given to
 * `defer`, last first, unless `done` was called. (AsyncDisposableStack, which Node has from 24 on.)
 */
export class Undo implements AsyncDisposable {
  #steps: (() => unknown)[] = [];

  defer(step: () => unknown): void {
    this.#steps.push(step);
  }

  /** All went well: nothing is taken back. */
  done(): void {
    this.#steps = [];
  }

  /** Every step runs even when one fails; the first failure is thrown at the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    let failure: { error: unknown } | undefined;
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step();
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure) throw failure.error;
  }
}
