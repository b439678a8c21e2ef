import { InvalidParameter } from "../../spec/index.js";
import type { WantedMount } from "./mount-request.js";

/**
 * A bind that has the data root in it, or is in it, with a propagation it can have. Mounts of other containers come and
 * go there: one that stayed behind in this container would keep its layers busy. So it is `rslave` unless another one
 * is asked for that lets unmounting through.
 *
 * @throws InvalidParameter: one that does not, in Docker's words
 */
export function besideRoot(wanted: WantedMount, root: string): WantedMount {
  const { Type, Source, Spec } = wanted.mount;
  if (Type !== "bind" || !(isIn(Source, root) || isIn(root, Source))) return wanted;
  const { Propagation: asked = "" } = (Spec.BindOptions ?? {}) as { Propagation?: string };
  if (asked === "") return { ...wanted, mount: { ...wanted.mount, Propagation: "rslave" } };
  if (asked === "rslave" || asked === "rshared") return wanted;
  const either = 'must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root';
  const what = `daemon root: "${root}", bind mount source: "${Source}", propagation: "${asked}"`;
  throw new InvalidParameter(`invalid mount config: ${either}, ${what}`);
}

function isIn(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}
