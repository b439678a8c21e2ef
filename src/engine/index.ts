/**
 * Where the parts meet: operations on images and containers of one data root, in the words and shapes of Docker's
 * API but without HTTP. The daemon serves an `Engine`, and the library hands it out.
 */

/** For bodies of requests, which nobody else reads. */
export { freed } from "../archive/index.js";
export { type Owner, Ownership, ownerOf } from "../doctor/index.js";
export type { Check } from "../driver/index.js";
/** For a process that does nothing else. */
export { limitArenas, trimMalloc } from "../sys/index.js";
/** For pieces of the streams that are given out here, by who has used them up. */
export { recycle } from "../threads/index.js";
export type * from "./api-container.js";
export type * from "./api-image.js";
export type * from "./api-process.js";
export type * from "./api-system.js";
export { type RootSurvey, surveyRoot } from "./choose-driver.js";
export type { ContainerDefaults } from "./container-defaults.js";
export type * from "./containers.js";
export type { Doctor } from "./doctor.js";
export { checkOptions, Engine, type EngineOptions } from "./engine.js";
export type * from "./events.js";
export type * from "./execs.js";
export type { GCSettings } from "./gc/gc-settings.js";
export type { Pins } from "./gc/pins.js";
export type * from "./images.js";
export type * from "./layers.js";
export type { NetworkSettings } from "./network/network-settings.js";
export type * from "./networks.js";
export type * from "./processes.js";
export { productVersion } from "./product.js";
export { registrySource } from "./repair/registry-source.js";
export type { Changeable, RuntimeSettings } from "./settings.js";
export type * from "./volumes.js";
