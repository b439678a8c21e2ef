import type { Bench, OpenDriver } from "./bench.js";

/** Adds a test; in place of one that the driver cannot meet its reason is shown. */
export type AddTest = (name: string, run: () => Promise<void>, timeoutMs?: number) => void;

/** Some of the suite's tests. */
export type Cases = (test: AddTest, bench: () => Bench, open: OpenDriver) => void;
