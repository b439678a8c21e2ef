import type { ImageID } from "../../../spec/index.js";
import type { RootState } from "../../root/root-state.js";
import type { Finding, Step } from "../finding.js";
import type { Known } from "../known/known.js";
import { hasLostNames, namesTold } from "../known/name-proofs.js";
import { isMissed, nameOf, repositoriesText } from "../known/tags.js";
import { finding } from "../rule.js";

/** `repositories.json` can be read, and names images that are there. */
export function* tags(known: Known): Generator<Finding> {
  const { contents, repositories } = known.state.images;
  const { path, fact, references } = repositories;
  if (!references) return yield unreadable(known);
  if (!fact && contents.size > 0) return yield missing(known);
  if (hasLostNames(known.state)) yield { ...unnamed(known.state), remedy: [] };
  const isWrong = (ref: string, id: string) => nameOf(ref) === undefined || isDangling(known, id);
  const right = new Map([...references].filter(([ref, id]) => !isWrong(ref, id)));
  const remedy = [write(path, right)];
  for (const [ref, id] of references) {
    if (nameOf(ref) === undefined) {
      const what = `it has the name ${JSON.stringify(ref.slice(0, 120))}, which is none`;
      yield finding({
        kind: "tag-invalid",
        severity: "oddity",
        path,
        what,
        means: "nothing: dockerd passes over it",
        remedy,
      });
    } else if (isDangling(known, id)) {
      const what = `${ref} names ${id.slice(0, 80)}, which is no image that is there`;
      const means = "the name is in no list, and cannot be used";
      yield finding({ kind: "tag-dangling", severity: "damage", path, what, means, remedy });
    }
  }
}

function isDangling(known: Known, id: string): boolean {
  return !known.state.images.contents.has(id.replace(/^sha256:/, "")) && !isMissed(known, id);
}

function write(path: string, references: ReadonlyMap<string, string>): Step {
  return { kind: "write-file", path, text: repositoriesText(references), mode: 0o600 };
}

/** The names that can be read in it are kept, where their images are there; then what others call the images. */
function unreadable({ state }: Known): Finding {
  const { path, problem = "it cannot be read" } = state.images.repositories;
  const found = { kind: "tags-damaged", severity: "damage", path, what: problem } as const;
  return finding(
    { ...found, means: "dockerd does not start", remedy: [restoreNames(state)] },
    { images: allImages(state) },
  );
}

function missing({ state }: Known): Finding {
  const { path } = state.images.repositories;
  const [what, means] = ["it is missing: the names of all images", "all images are without names"];
  const found = { kind: "tags-missing", severity: "damage", path, what, means } as const;
  return finding({ ...found, remedy: [restoreNames(state)] }, { images: allImages(state) });
}

/**
 * A list that is whole and lacks names, as dockerd makes one where it finds none. Who has the root may have taken them
 * away, so that they come back only when that is asked for.
 */
export function unnamed(state: RootState): Finding {
  const { path } = state.images.repositories;
  const what = "images are without names by which containers call them, as when the list was lost";
  const means = "they are listed as <none>, and prune takes those that no container uses";
  return finding({ kind: "tags-lost", severity: "oddity", path, what, means, remedy: [restoreNames(state)] });
}

function restoreNames(state: RootState): Step {
  return { kind: "restore-names", path: state.images.repositories.path, names: namesTold(state) };
}

function allImages({ images }: Known["state"]): ImageID[] {
  return [...images.contents.values()].flatMap(({ id, config }) => (id && config ? id : []));
}
