import { NotImplemented } from "../spec/index.js";
import type { ImageParts } from "./image-parts.js";
import type { Images } from "./images.js";

/** Operations on the images of one data root. */
export function imageOperations(_parts: ImageParts): Images {
  throw new NotImplemented("image operations are not there yet");
}
