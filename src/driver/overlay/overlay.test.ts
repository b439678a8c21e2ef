import { describe } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { describeDriver } from "../suite.js";
import { Overlay } from "./overlay.js";

describe.skipIf(lacking("root", "mounts"))("the contract", () => {
  describeDriver("overlay", Overlay.open, {
    "a new name for a file below is a hard link in the layer's diff":
      "trees are compared name by name, and the old name has not changed: as in Docker, the new one is a file",
    "size counts each inode once, files and link targets, and nothing that went again":
      "as in Docker, the size of a layer applied is the sum of those in its archive's headers",
    attaching: "a layer begins as a tree of the one below it",
  });
});
