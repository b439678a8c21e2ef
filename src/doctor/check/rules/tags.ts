import type { ImageID } from "../../../spec/index.js";
import { textOf } from "../../root/fact.js";
import type { Finding, Step } from "../finding.js";
import type { Known } from "../known/known.js";
import { isMissed, nameOf, repositoriesText } from "../known/tags.js";
import { finding } from "../rule.js";

/** `repositories.json` can be read, and names images that are there. */
export function* tags(known: Known): Generator<Finding> {
  const { contents, repositories } = known.state.images;
  const { path, fact, references } = repositories;
  if (!references) return yield unreadable(known);
  if (!fact && contents.size > 0) return yield missing(known);
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

/** The names that can be read in it are kept, where their images are there; then what containers call theirs. */
function unreadable({ state }: Known): Finding {
  const { path, fact, problem = "it cannot be read" } = state.images.repositories;
  const pairs = (textOf(fact) ?? "").matchAll(/"([^"\\]+)":"(sha256:[0-9a-f]{64})"/g);
  const found = [...pairs].flatMap(([, ref = "", id = ""]): [string, string][] =>
    isThere(state, id) ? [[ref, id]] : [],
  );
  const names = new Map([...namesOfContainers(state), ...found]);
  const means = "dockerd does not start";
  return finding(
    { kind: "tags-damaged", severity: "damage", path, what: problem, means, remedy: [write(path, names)] },
    { images: allImages(state) },
  );
}

function missing({ state }: Known): Finding {
  const { path } = state.images.repositories;
  const [what, means] = ["it is missing: the names of all images", "all images are without names"];
  const remedy = [write(path, namesOfContainers(state))];
  return finding({ kind: "tags-missing", severity: "damage", path, what, means, remedy }, { images: allImages(state) });
}

function allImages({ images }: Known["state"]): ImageID[] {
  return [...images.contents.values()].flatMap(({ id, config }) => (id && config ? id : []));
}

/** What the containers' users called the images, where that is one tag for one image. */
function namesOfContainers(state: Known["state"]): Map<string, string> {
  const found = new Map<string, string | undefined>();
  for (const { config } of state.containers.values()) {
    const [called, id] = [config?.Config?.Image ?? "", config?.Image ?? ""];
    const name = nameOf(called);
    if (name === undefined || !isThere(state, id) || /^[0-9a-f]+$/.test(called)) continue;
    const ref = called.includes("@") || /:[\w.-]+$/.test(called) ? called : `${called}:latest`;
    found.set(ref, found.has(ref) && found.get(ref) !== id ? undefined : id);
  }
  return new Map([...found].flatMap(([ref, id]): [string, string][] => (id === undefined ? [] : [[ref, id]])));
}

function isThere({ images }: Known["state"], id: string): boolean {
  return images.contents.get(id.replace(/^sha256:/, ""))?.config !== undefined;
}
