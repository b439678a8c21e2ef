import { describeDriver } from "../suite.js";
import { Overlay2 } from "./overlay2.js";

describeDriver("overlay2", Overlay2.open);
