import { workerData } from "node:worker_threads";
import { type Copy, copyTreeSync } from "./copy-tree.js";

copyTreeSync(workerData as Copy);
