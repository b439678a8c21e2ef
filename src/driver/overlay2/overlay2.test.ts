import { describe } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { describeDriver } from "../suite.js";
import { Overlay2 } from "./overlay2.js";

describe.skipIf(lacking("root", "mounts"))("the contract", () => describeDriver("overlay2", Overlay2.open));
