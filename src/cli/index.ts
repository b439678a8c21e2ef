/**
 * The `layerkit` command: one file a command, each speaking HTTP to the daemon of the data root, or to one started
 * inside for the life of the command.
 */
export { program } from "./program.js";
