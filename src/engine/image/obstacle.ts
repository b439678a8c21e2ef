import { Conflict, type ImageID, shortID } from "../../spec/index.js";
import type { ImageParts } from "./parts.js";

/** Why an image cannot be deleted. */
export interface Obstacle {
  readonly why: string;
  /** Force does not help. */
  readonly hard: boolean;
  /** A container needs it. */
  readonly used: boolean;
}

export class ImageInUse extends Conflict {
  constructor(id: ImageID, { why, hard }: Obstacle) {
    super(`conflict: unable to delete ${shortID(id)} (${hard ? "cannot" : "must"} be forced) - ${why}`);
  }
}

/**
 * What stands against the deletion of an image; the first that is found.
 *
 * @param mind `soft`: what force would overrule counts too; `references`: its names count too
 */
export function obstacleTo(
  { images, references, usersOf }: ImageParts,
  id: ImageID,
  mind: { readonly soft: boolean; readonly references: boolean },
): Obstacle | undefined {
  if (images.children(id).length > 0) return { why: "image has dependent child images", hard: true, used: false };
  const users = usersOf(id);
  const running = users.find((user) => user.running);
  if (running) {
    return { why: `image is being used by running container ${shortID(running.id)}`, hard: true, used: true };
  }
  if (mind.references && references.references(id).length > 0) {
    return { why: "image is referenced in multiple repositories", hard: false, used: false };
  }
  const [stopped] = users;
  if (!mind.soft || !stopped) return undefined;
  return { why: `image is being used by stopped container ${shortID(stopped.id)}`, hard: false, used: true };
}
