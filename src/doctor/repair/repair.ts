import { syncFileSystem } from "../../disk/index.js";
import { messageOf, Undo } from "../../spec/index.js";
import { check } from "../check/check.js";
import type { Finding, Step } from "../check/finding.js";
import { readRoot } from "../root/read-root.js";
import type { RootState } from "../root/root-state.js";
import { adviceOn } from "./advice.js";
import { doStep, isPlain } from "./do-step.js";
import { assertNothingRuns } from "./nothing-runs.js";
import { stageOf, stages, stepsOf } from "./order.js";
import { depthOf } from "./proven-layer.js";
import { Quarantine } from "./quarantine.js";
import { restoreImage } from "./restore-image.js";
import { type Restoring, restoreLayer } from "./restore-layer.js";
import { OwnRoot } from "./sources/root-source.js";
import type { Source } from "./sources/source.js";
import { Staging } from "./staging.js";
import { stepText, type Told } from "./told.js";

export interface RepairOptions {
  /** Where the root has data of several drivers. */
  readonly driver?: string | undefined;
  /** What is wrong with a root by its metadata; asked again after each round of steps. `check` unless given. */
  readonly examine?: (state: RootState) => readonly Finding[];
  /** The same by reading all content; asked once, when nothing else is left to be done. */
  readonly examineDeeply?: ((state: RootState) => Promise<readonly Finding[]>) | undefined;
  /** Where lost bytes may be had, in this order; the data root itself is asked before. */
  readonly sources: readonly Source[];
  readonly tell: (told: Told) => Promise<void>;
  /** Stops it between two steps, or in a step that takes long; what was done is of one piece. */
  readonly signal?: AbortSignal | undefined;
}

export interface Repaired {
  /** Steps that were done. */
  readonly done: number;
  /** What is wrong still, with the reasons why its steps failed. */
  readonly left: readonly Left[];
  /** Absolute: where what was removed is kept; undefined: nothing was. */
  readonly quarantine?: string;
}

export interface Left {
  readonly finding: Finding;
  readonly why: readonly string[];
  /** One line: what the user can do. */
  readonly advice?: string;
}

/**
 * Mends what is wrong with a data root, as far as it can be proved: metadata first, then configs of images, then layers,
 * the lowest first. After each of these all is looked at anew, since a link that is there again lets further damage be
 * seen. Nothing is deleted. Whoever was interrupted just repairs again.
 *
 * @param root owned by the caller
 * @throws Conflict: a container runs; what reading the root throws; the reason of `signal`
 */
export async function repair(root: string, options: RepairOptions): Promise<Repaired> {
  const { driver, signal } = options;
  const first = await readRoot(root, driver);
  assertNothingRuns(first);
  await using undo = new Undo();
  const quarantine = new Quarantine(first.root);
  let opened: Promise<Staging> | undefined;
  const staging = () => {
    opened ??= Staging.open(first);
    return opened;
  };
  undo.defer(async () => (await opened)?.[Symbol.asyncDispose]());
  const sources = [new OwnRoot(), ...options.sources];
  const rounds = new Rounds(options, { sources, quarantine, staging, signal });
  const left = await rounds.run(first);
  if (rounds.done > 0) await syncFileSystem(first.root);
  return { done: rounds.done, left, ...(quarantine.count > 0 && { quarantine: quarantine.path }) };
}

class Rounds {
  done = 0;
  readonly #options: RepairOptions;
  readonly #tools: Omit<Restoring, "state">;
  /** Steps that were tried. None is done twice; one that failed is tried again when others were done since. */
  readonly #tried = new Map<string, Tried>();

  constructor(options: RepairOptions, tools: Omit<Restoring, "state">) {
    this.#options = options;
    this.#tools = tools;
  }

  async run(first: RootState): Promise<Left[]> {
    let state = first;
    let deep: readonly Finding[] | undefined;
    for (;;) {
      const findings = (this.#options.examine ?? check)(state);
      const isStable = !(await this.#round(state, findings));
      if (isStable && (deep || !this.#options.examineDeeply)) return this.#left(state, findings, deep ?? []);
      if (isStable) {
        deep = (await this.#options.examineDeeply?.(state)) ?? [];
        await this.#round(state, deep);
      }
      state = await readRoot(first.root, first.driver);
    }
  }

  /** Does what comes first of what is to be done. @returns whether anything was done */
  async #round(state: RootState, findings: readonly Finding[]): Promise<boolean> {
    for (const stage of stages) {
      const due = findings.filter((each) => stageOf(each, findings) === stage);
      const before = this.done;
      for (const finding of this.#inOrder(state, due)) await this.#mend(state, finding);
      if (this.done > before) return true;
    }
    return false;
  }

  /** A layer after those it stands on. */
  #inOrder(state: RootState, findings: readonly Finding[]): readonly Finding[] {
    const depth = (finding: Finding) =>
      Math.max(
        0,
        ...stepsOf(finding).map((step) => (step.kind === "restore-layer" ? depthOf(state, step.chainID) : 0)),
      );
    const depths = new Map(findings.map((finding) => [finding, depth(finding)]));
    return [...findings].sort((a, b) => depths.get(a)! - depths.get(b)!);
  }

  /** Does the steps of a finding, up to the first that fails. */
  async #mend(state: RootState, finding: Finding): Promise<void> {
    for (const step of stepsOf(finding)) {
      const key = JSON.stringify(step);
      const before = this.#tried.get(key);
      if (before && before.why === undefined) continue;
      if (before?.done === this.done) return;
      this.#options.signal?.throwIfAborted();
      try {
        const how = await this.#do(state, finding, step);
        this.done++;
        this.#tried.set(key, { done: this.done });
        const text = how === undefined ? stepText(step, state) : `${stepText(step, state)}: ${how}`;
        await this.#options.tell({ finding, step, outcome: "done", text });
      } catch (error) {
        this.#options.signal?.throwIfAborted();
        // Told at the end, if it stays so: another step may make up for it.
        this.#tried.set(key, { done: this.done, why: messageOf(error) });
        return;
      }
    }
  }

  async #do(state: RootState, finding: Finding, step: Step): Promise<string | undefined> {
    if (isPlain(step)) {
      await doStep(step, this.#tools.quarantine, finding.what);
      return undefined;
    }
    // An earlier step of this round may have changed what it begins with.
    const restoring = { ...this.#tools, state: await readRoot(state.root, state.driver) };
    if (step.kind === "restore-image") return await restoreImage(restoring, step.id);
    return await restoreLayer(restoring, step.chainID);
  }

  /** @param deep what was found by reading all content: it is not read once more, a step that was done has mended it */
  #left(state: RootState, findings: readonly Finding[], deep: readonly Finding[]): Left[] {
    const why = (finding: Finding) =>
      stepsOf(finding)
        .map((step) => this.#tried.get(JSON.stringify(step))?.why)
        .filter((reason) => reason !== undefined);
    const known = new Set(findings.map(({ kind, path }) => `${kind} ${path}`));
    const more = deep.filter(({ kind, path }) => !known.has(`${kind} ${path}`));
    const open = more.filter((finding) => stepsOf(finding).length === 0 || why(finding).length > 0);
    return [...findings, ...open].map((finding) => {
      const advice = adviceOn(finding, state);
      return { finding, why: why(finding), ...(advice !== undefined && { advice }) };
    });
  }
}

/** What came of a step. */
interface Tried {
  /** Steps that were done by then. */
  readonly done: number;
  /** Why it failed; undefined: it did not. */
  readonly why?: string;
}
