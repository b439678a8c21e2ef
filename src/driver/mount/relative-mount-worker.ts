import { workerData } from "node:worker_threads";
import { CLONE, chdir, mount, unshare } from "../../sys/index.js";
import type { RelativeMount } from "./overlay-mount.js";

const { home, target, options } = workerData as RelativeMount;
unshare(CLONE.FS);
chdir(home);
mount("overlay", target, "overlay", 0, options);
