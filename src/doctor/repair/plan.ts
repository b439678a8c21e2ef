import { check } from "../check/check.js";
import type { Finding, Step } from "../check/finding.js";
import { unnamed } from "../check/rules/tags.js";
import { readRoot } from "../root/read-root.js";
import type { RootState } from "../root/root-state.js";
import { stageOf, stages, stepsOf } from "./order.js";
import { provenLayer } from "./proven-layer.js";
import { type Left, leftOf, type Repaired, type RepairOptions } from "./repair.js";
import { type Named, namelessIn, namesFor, namesForNameless } from "./restore-names.js";
import { toldNames, toldText } from "./told.js";

export interface PlanOptions
  extends Pick<RepairOptions, "driver" | "examineDeeply" | "sources" | "names" | "tell" | "signal"> {
  /** Somebody is at work in the root: what is mounted and half done is theirs. */
  readonly isLive?: boolean;
}

/** What nothing would be done about, and what would be left of lost names. */
export type Planned = Pick<Repaired, "left" | "names">;

/**
 * What a repair would begin with; nothing is changed, and nobody kept from it. What it would uncover is not known yet,
 * nor whether the bytes of a source are what they should be.
 */
export async function planRepair(
  root: string,
  { driver, isLive = false, examineDeeply, sources, names: isAsked, tell, signal }: PlanOptions,
): Promise<Planned> {
  const state = await readRoot(root, driver);
  const findings = [...check(state, { isLive }), ...((await examineDeeply?.(state))?.findings ?? [])];
  const left: Left[] = findings
    .filter((each) => stageOf(each, []) === undefined && !(isAsked && each.kind === "tags-lost"))
    .map((finding) => leftOf(finding, [], state));
  let named: Named | undefined;
  for (const finding of stages.flatMap((stage) => findings.filter((each) => stageOf(each, []) === stage))) {
    for (const step of stepsOf(finding)) {
      if (step.kind === "restore-names") {
        named = await namesFor(state, step.names, { sources, signal });
        for (const told of toldNames(finding, named.names, "would")) await tell(told);
        continue;
      }
      const text = toldText(step, state.root, await fromWhere(step, state, sources));
      await tell({ finding, step, outcome: "would", text });
    }
  }
  if (isAsked && !named && state.images.repositories.references) {
    named = await namesForNameless(state, { sources, signal });
    if (named.names.length > 0) for (const told of toldNames(unnamed(state), named.names, "would")) await tell(told);
  }
  if (!named) return { left };
  const { disputes, failures, names } = named;
  return { left, names: { disputes, failures, nameless: await namelessIn(state, names) } };
}

async function fromWhere(step: Step, state: RootState, sources: RepairOptions["sources"]): Promise<string> {
  if (step.kind === "restore-image") return await firstOf(sources, (source) => source.images(step.id, state));
  if (step.kind !== "restore-layer") return "";
  const diffID = provenLayer(state, step.chainID)?.diffID;
  if (diffID === undefined) return "nothing says what it was";
  return await firstOf(sources, (source) => source.layers({ chainID: step.chainID, diffID, state }));
}

async function firstOf(
  sources: RepairOptions["sources"],
  ask: (source: RepairOptions["sources"][number]) => AsyncIterable<unknown>,
): Promise<string> {
  for (const source of sources) {
    try {
      for await (const _ of ask(source)) return `from ${source.name}`;
    } catch {
      // Told by the repair, when it comes to that.
    }
  }
  return "from the data root itself, if it is still there somewhere";
}

/** Findings that count: what is only strange does no harm. */
export function isWrong({ severity }: Finding): boolean {
  return severity !== "oddity";
}
