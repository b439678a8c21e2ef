import { check } from "../check/check.js";
import type { Finding, Step } from "../check/finding.js";
import { readRoot } from "../root/read-root.js";
import type { RootState } from "../root/root-state.js";
import { stageOf, stages, stepsOf } from "./order.js";
import { provenLayer } from "./proven-layer.js";
import type { Left, RepairOptions } from "./repair.js";
import { toldText } from "./told.js";

export interface PlanOptions extends Pick<RepairOptions, "driver" | "examineDeeply" | "sources" | "tell"> {
  /** Somebody is at work in the root: what is mounted and half done is theirs. */
  readonly isLive?: boolean;
}

/**
 * What a repair would begin with; nothing is changed, and nobody kept from it. What it would uncover is not known yet,
 * nor whether the bytes of a source are what they should be.
 *
 * @returns what nothing would be done about
 */
export async function planRepair(
  root: string,
  { driver, isLive = false, examineDeeply, sources, tell }: PlanOptions,
): Promise<readonly Left[]> {
  const state = await readRoot(root, driver);
  const findings = [...check(state, { isLive }), ...((await examineDeeply?.(state))?.findings ?? [])];
  const left: Left[] = findings
    .filter((each) => stageOf(each, []) === undefined)
    .map((finding) => ({ finding, why: [] }));
  for (const finding of stages.flatMap((stage) => findings.filter((each) => stageOf(each, []) === stage))) {
    for (const step of stepsOf(finding)) {
      const text = toldText(step, state.root, await fromWhere(step, state, sources));
      await tell({ finding, step, outcome: "would", text });
    }
  }
  return left;
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
