import { isDeepStrictEqual } from "node:util";
import { type ImageConfig, type ImageID, InvalidParameter } from "../spec/index.js";

/** An image among others, and the one of them it says it was made upon. */
interface Member {
  readonly id: ImageID;
  readonly config: ImageConfig;
  readonly parent?: ImageID;
}

/**
 * Checks the links between images of one archive. A link to an image that is not in it means nothing.
 *
 * @throws InvalidParameter: a link to one that is not the parent, or links that go round in a circle
 */
export function checkParents(members: readonly Member[]): void {
  const byID = new Map(members.map((member) => [member.id, member]));
  const sound = new Set<Member>();
  for (const member of members) {
    const line = new Set<Member>();
    for (let at: Member | undefined = member; at && !sound.has(at); ) {
      const parent: Member | undefined = at.parent && byID.get(at.parent);
      line.add(at);
      if (parent && (line.has(parent) || !continues(parent.config, at.config))) {
        throw new InvalidParameter(`image ${parent.id} is not a valid parent for ${at.id}`);
      }
      at = parent;
    }
    for (const each of line) sound.add(each);
  }
}

/** Whether a history is that of the image below with one more step; or both have none. */
export function continues({ history: below = [] }: ImageConfig, { history = [] }: ImageConfig): boolean {
  if (below.length === 0 && history.length === 0) return true;
  return history.length === below.length + 1 && isDeepStrictEqual(history.slice(0, -1), [...below]);
}
