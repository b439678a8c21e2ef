import { syncFileSystem } from "../../disk/index.js";
import { type ChainID, messageOf, Undo } from "../../spec/index.js";
import { check } from "../check/check.js";
import type { Finding, Step } from "../check/finding.js";
import { unnamed } from "../check/rules/tags.js";
import type { DeepChecked } from "../deep/deep-check.js";
import type { Progress } from "../progress.js";
import { readRoot } from "../root/read-root.js";
import type { RootState } from "../root/root-state.js";
import { adviceOn } from "./advice.js";
import { beginLayer } from "./begin-layer.js";
import { doStep, isPlain } from "./do-step.js";
import { assertNothingRuns } from "./nothing-runs.js";
import { stageOf, stages, stepsOf } from "./order.js";
import { depthOf, provenLayer } from "./proven-layer.js";
import { Quarantine } from "./quarantine.js";
import { restoreImage } from "./restore-image.js";
import { restoreLayer } from "./restore-layer.js";
import { type Named, type NamesLeft, namelessIn, namesFor, namesForNameless, writeNames } from "./restore-names.js";
import type { Restoring } from "./restoring.js";
import { OwnRoot } from "./sources/root-source.js";
import type { Source } from "./sources/source.js";
import { Staging } from "./staging.js";
import { type Told, toldNames, toldText } from "./told.js";

export interface RepairOptions {
  /** Where the root has data of several drivers. */
  readonly driver?: string | undefined;
  /** What is wrong with a root by its metadata; asked again after each round of steps. `check` unless given. */
  readonly examine?: (state: RootState) => readonly Finding[];
  /** The same by reading all content; asked once, when nothing else is left to be done. */
  readonly examineDeeply?: ((state: RootState) => Promise<DeepChecked>) | undefined;
  /** Where lost bytes may be had, in this order; the data root itself is asked before. */
  readonly sources: readonly Source[];
  /** Images without a name get back what the root and the sources say they were called, in a list that is whole, too. */
  readonly names?: boolean | undefined;
  readonly tell: (told: Told) => Promise<void>;
  /** Told how far a layer is that is made anew. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Stops it between two steps, or in a step that takes long; what was done is of one piece. */
  readonly signal?: AbortSignal | undefined;
}

export interface Repaired {
  /** Steps that were done. */
  readonly done: number;
  /** What is wrong still, with the reasons why its steps failed. */
  readonly left: readonly Left[];
  /** One line each: what could not be compared. */
  readonly notes: readonly string[];
  /** Undefined: no name was brought back. */
  readonly names?: NamesLeft;
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
  const { driver, signal, onProgress = () => {} } = options;
  const first = await readRoot(root, driver);
  assertNothingRuns(first);
  await using undo = new Undo();
  const quarantine = new Quarantine(first.root);
  let opened: Promise<Staging> | undefined;
  const staging = () => {
    opened ??= Staging.open(first);
    return opened;
  };
  undo.defer(async () => (opened ? (await opened)[Symbol.asyncDispose]() : Staging.sweep(first)));
  const sources = [new OwnRoot(), ...options.sources];
  const rounds = new Rounds(options, { sources, quarantine, staging, onProgress, signal });
  const left = await rounds.run(first);
  if (rounds.done > 0) await syncFileSystem(first.root);
  const kept = quarantine.count > 0 && { quarantine: quarantine.path };
  return { done: rounds.done, ...left, notes: rounds.notes, ...kept };
}

class Rounds {
  done = 0;
  notes: readonly string[] = [];
  /** What reading all content has found; undefined: it was not read, or not yet. */
  #deep: readonly Finding[] | undefined;
  readonly #options: RepairOptions;
  readonly #tools: Omit<Restoring, "state" | "isRightBelow">;
  /** Undefined: names were not looked for. */
  #named: Named | undefined;
  /** Steps that were tried. None is done twice; one that failed is tried again when others were done since. */
  readonly #tried = new Map<string, Tried>();

  constructor(options: RepairOptions, tools: Omit<Restoring, "state" | "isRightBelow">) {
    this.#options = options;
    this.#tools = tools;
  }

  async run(first: RootState): Promise<Pick<Repaired, "left" | "names">> {
    let state = first;
    for (;;) {
      const findings = (this.#options.examine ?? check)(state);
      const isStable = !(await this.#round(state, findings));
      if (isStable && !(await this.#lookDeeply(state)) && !(await this.#lookForNames(state))) {
        const left = this.#left(state, findings);
        if (!this.#named) return { left };
        const { disputes, failures } = this.#named;
        return { left, names: { disputes, failures, nameless: await namelessIn(state) } };
      }
      state = await readRoot(first.root, first.driver);
    }
  }

  /** Where that is asked for, names for images that have none. @returns whether there were any */
  async #lookForNames(state: RootState): Promise<boolean> {
    const { names: isAsked, tell } = this.#options;
    if (!isAsked || this.#named || !state.images.repositories.references) return false;
    this.#named = await namesForNameless(state, this.#tools);
    const { names } = this.#named;
    if (names.length === 0) return false;
    const finding = unnamed(state);
    await writeNames(state, names, this.#tools.quarantine, finding.what);
    this.done++;
    for (const told of toldNames(finding, names, "done")) await tell(told);
    return true;
  }

  /**
   * Reads all content, and mends. With whole trees once more then: what is wrong in a tree is told only where it is right
   * in the one below.
   *
   * @returns whether all has to be looked at anew
   */
  async #lookDeeply(state: RootState): Promise<boolean> {
    const { examineDeeply } = this.#options;
    const isOver = this.#deep && (state.driver === "overlay2" || this.#deep.length === 0);
    if (!examineDeeply || isOver) return false;
    const { findings, notes } = await examineDeeply(state);
    this.notes = notes;
    const before = JSON.stringify(this.#deep);
    this.#deep = findings;
    if (JSON.stringify(findings) === before) return false;
    // A layer that was restored by what was known before may need more.
    for (const step of findings.flatMap(stepsOf)) this.#tried.delete(JSON.stringify(step));
    await this.#round(state, findings);
    return true;
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

  /** A layer after those it stands on; upon all of them init layers, and then containers'. */
  #inOrder(state: RootState, findings: readonly Finding[]): readonly Finding[] {
    const depthOfStep = (step: Step) => {
      if (step.kind === "begin-layer") return step.id.endsWith("-init") ? 1e6 : 1e6 + 1;
      return step.kind === "restore-layer" ? depthOf(state, step.chainID) : 0;
    };
    const depth = (finding: Finding) => Math.max(0, ...stepsOf(finding).map(depthOfStep));
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
        const told = await this.#do(state, finding, step);
        this.done++;
        this.#tried.set(key, { done: this.done });
        for (const each of told) await this.#options.tell(each);
      } catch (error) {
        this.#options.signal?.throwIfAborted();
        // Told at the end, if it stays so: another step may make up for it.
        this.#tried.set(key, { done: this.done, why: messageOf(error) });
        return;
      }
    }
  }

  async #do(state: RootState, finding: Finding, step: Step): Promise<readonly Told[]> {
    if (step.kind === "restore-names") {
      this.#named = await namesFor(state, step.names, this.#tools);
      const { names } = this.#named;
      await writeNames(state, names, this.#tools.quarantine, finding.what);
      return toldNames(finding, names, "done");
    }
    const how = await this.#how(state, finding, step);
    return [{ finding, step, outcome: "done", text: toldText(step, state.root, how) }];
  }

  async #how(state: RootState, finding: Finding, step: Exclude<Step, { kind: "restore-names" }>): Promise<string> {
    if (isPlain(step)) {
      await doStep(step, this.#tools.quarantine, finding.what);
      return "";
    }
    // An earlier step of this round may have changed what it begins with.
    const now = await readRoot(state.root, state.driver);
    const restoring = { ...this.#tools, state: now, isRightBelow: (id: ChainID) => this.#isRightBelow(now, id) };
    if (step.kind === "begin-layer") return await beginLayer(restoring, step);
    if (step.kind === "restore-image") return await restoreImage(restoring, step.id);
    return await restoreLayer(restoring, step.chainID);
  }

  /** All content has been read, and what was not right of the layers below has been mended: lower ones come first. */
  #isRightBelow(state: RootState, chainID: ChainID): boolean {
    if (!this.#deep) return false;
    const open = this.#deep.filter((finding) => !this.#isMended(finding)).flatMap(({ remedy }) => remedy);
    for (let at = provenLayer(state, chainID)?.parent; at; at = provenLayer(state, at)?.parent) {
      if (open.some((step) => step.kind === "restore-layer" && step.chainID === at)) return false;
    }
    return true;
  }

  #isMended(finding: Finding): boolean {
    const steps = stepsOf(finding).map((step) => this.#tried.get(JSON.stringify(step)));
    return steps.length > 0 && steps.every((tried) => tried && tried.why === undefined);
  }

  /** Content is not read once more: a step that was done has mended what was found so. */
  #left(state: RootState, findings: readonly Finding[]): Left[] {
    const why = (finding: Finding) =>
      stepsOf(finding)
        .map((step) => this.#tried.get(JSON.stringify(step))?.why)
        .filter((reason) => reason !== undefined);
    const known = new Set(findings.map(({ kind, path }) => `${kind} ${path}`));
    const open = (this.#deep ?? []).filter((each) => !known.has(`${each.kind} ${each.path}`) && !this.#isMended(each));
    return [...findings, ...open].map((finding) => leftOf(finding, why(finding), state));
  }
}

/** @param why the reasons why its steps failed */
export function leftOf(finding: Finding, why: readonly string[], state: RootState): Left {
  const advice = adviceOn(finding, why, state);
  return { finding, why, ...(advice !== undefined && { advice }) };
}

/** What came of a step. */
interface Tried {
  /** Steps that were done by then. */
  readonly done: number;
  /** Why it failed; undefined: it did not. */
  readonly why?: string;
}
