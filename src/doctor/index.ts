/**
 * A data root at rest: what is in it and who uses it, what is wrong with it and how that is mended, what takes how much
 * room and what of it nobody needs. Everything begins with `readRoot`, which takes a root as it lies there, dockerd's
 * or ours, with no daemon; nothing here writes but `repair` and `reclaim`, for whoever owns the root.
 */
export { type CheckOptions, check } from "./check/check.js";
export { type CheckEvent, type CheckRootOptions, checkRoot } from "./check/check-root.js";
export { type Difference, type Finding, type How, type Severity, type Step, severities } from "./check/finding.js";
export type { Dispute, NameProof } from "./check/known/name-proofs.js";
export { nameOf, type Report } from "./check/report.js";
export { stepText } from "./check/step-text.js";
export { type DeepChecked, type DeepOptions, deepCheck } from "./deep/deep-check.js";
export { Memory } from "./df/remembered.js";
export type * from "./df/room.js";
export * from "./df/usage.js";
export { type Found, findIn } from "./map/find.js";
export * from "./map/root-map.js";
export type { Progress } from "./progress.js";
export type { Choice } from "./reclaim/chosen.js";
export { doItem } from "./reclaim/do-item.js";
export { type Doubts, doubtsOf } from "./reclaim/doubts.js";
export type { Item } from "./reclaim/item.js";
export { leftoversIn } from "./reclaim/leftovers.js";
export { isPinned, pinFile, readPins } from "./reclaim/pins.js";
export * from "./reclaim/reclaim.js";
export { type KeptThing, keptThings } from "./repair/kept-things.js";
export { isWrong, type Planned, planRepair } from "./repair/plan.js";
export { listKept, purgeQuarantine, putBack, quarantineName } from "./repair/quarantine.js";
export { type Left, type Repaired, type RepairOptions, repair } from "./repair/repair.js";
export { planRoot, type RepairEvent, repairRoot } from "./repair/repair-root.js";
export { type Nameless, type NamesLeft, repositoriesWith } from "./repair/restore-names.js";
export { openSource, openSources } from "./repair/sources/open-source.js";
export type { Offer, Source, WantedLayer } from "./repair/sources/source.js";
export type { Told } from "./repair/told.js";
export { dockerdOn, type Owner, Ownership, ownerOf } from "./root/owner.js";
export { type ReadOptions, readRoot } from "./root/read-root.js";
export { Readings } from "./root/readings.js";
export type * from "./root/root-state.js";
export { type Use, usesOf } from "./uses.js";
