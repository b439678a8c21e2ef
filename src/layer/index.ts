export type * from "./layer.js";
