/**
 * `layerkit tour`: a walk through a real image, from its layers on disk to a container's changes and a commit of
 * them. It works on a data root of its own, and leaves nothing behind, also when it is interrupted.
 */
export { runTour } from "./run-tour.js";
