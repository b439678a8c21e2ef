import { prepare } from "./install.js";
import { packages } from "./packages.js";

// Run by npm before the tests ("pretest").
await prepare(packages);
