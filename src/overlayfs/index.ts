export type * from "./change.js";
