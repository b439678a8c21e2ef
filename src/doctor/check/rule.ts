import type { Finding } from "./finding.js";
import type { Known } from "./known/known.js";

/** Finds damages of one kind, or of a few that are told apart by the same look at the root. */
export type Rule = (known: Known) => Iterable<Finding>;

/** Who is concerned; nobody when left out. */
type Concerned = Partial<Pick<Finding, "images" | "containers">>;

export function finding(
  found: Omit<Finding, "images" | "containers">,
  { images = [], containers = [] }: Concerned = {},
): Finding {
  return { ...found, images, containers };
}
