/**
 * A data root changes its storage driver, at rest: images and containers are made anew in the new driver's form out of
 * the very files they have, compared with what they were, and then take the old ones' place in one step. What was of
 * the old driver is kept, until it is deleted or gone back to.
 */
export { backUp } from "./backup.js";
export type { Moved } from "./fill.js";
export {
  type MigrateOptions,
  type MigrateRun,
  migrate,
  planMigration,
  purgeMigration,
  undoMigration,
} from "./migrate.js";
export { imagesOfOthers } from "./others.js";
export type { Plan } from "./plan.js";
export { relaySteps } from "./report.js";
export { assertSettled, type State } from "./state.js";
