import { InvalidParameter, parseReference, type Reference } from "../../spec/index.js";

/** A name with a tag, as archives give them. @throws InvalidParameter: no reference, no tag, or one with a digest */
export function tagOf(text: string): Reference {
  const ref = parseReference(text);
  if (ref.tag === undefined || ref.digest !== undefined)
    throw new InvalidParameter(`invalid tag ${JSON.stringify(text)}`);
  return ref;
}
