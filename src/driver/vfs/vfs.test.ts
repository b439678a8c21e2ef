import { describeDriver } from "../suite.js";
import { Vfs } from "./vfs.js";

describeDriver("vfs", Vfs.open, {
  "a new name for a file below is a hard link in the layer's diff":
    "trees are compared name by name, and the old name has not changed: as in Docker, the new one is a file",
});
