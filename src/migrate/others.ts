import { join } from "node:path";
import { driverNames } from "../driver/index.js";
import { contents, names } from "./root.js";

/** What a data root has that `driver` does not show, one line a driver, with what to do. */
export function imagesOfOthers(root: string, driver: string): string[] {
  return driverNames.flatMap((name) => {
    if (name === driver) return [];
    const image = join(root, "image", name);
    const images = names(join(image, "imagedb/content/sha256")).length;
    const containers = names(join(image, "layerdb/mounts")).length;
    if (images + containers === 0) return [];
    const what = `${images} images and ${containers} containers of the storage driver ${name} are not shown`;
    const first = contents(root, driver) > 0 ? `, once those of ${driver} are saved and removed` : "";
    const remedy = `with the daemon stopped, layerkit --root ${root} migrate --to ${driver} moves them${first}`;
    return [`WARNING: ${what}: ${remedy}`];
  });
}
