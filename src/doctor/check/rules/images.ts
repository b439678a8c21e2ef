import { type ImageID, shortID } from "../../../spec/index.js";
import { textOf } from "../../root/fact.js";
import type { Finding, Step } from "../finding.js";
import type { Known } from "../known/known.js";
import { isMissed } from "../known/tags.js";
import { finding } from "../rule.js";
import { foreignThing } from "./foreign-thing.js";
import { isTemporary } from "./temporary.js";

/** Image configs are what their names say, and what is known beside them is of images that are there. */
export function* images(known: Known): Generator<Finding> {
  const { contents, path } = known.state.images;
  for (const [name, { id, problem }] of contents) {
    if (problem === undefined || isTemporary(name)) continue;
    const at = `${path}/imagedb/content/sha256/${name}`;
    if (id === undefined) {
      yield foreignThing(at, problem);
      continue;
    }
    const means = "dockerd does not show the image, and cannot run or save it";
    const remedy: Step[] = [{ kind: "restore-image", id }];
    yield finding(
      { kind: "image-config-damaged", severity: "damage", path: at, what: problem, means, remedy },
      concerned(known, id),
    );
  }
  yield* missing(known);
  yield* metadata(known);
}

function* missing(known: Known): Generator<Finding> {
  const { references = new Map<string, string>() } = known.state.images.repositories;
  for (const id of new Set(references.values())) {
    if (!isMissed(known, id)) continue;
    const path = `${known.state.images.path}/imagedb/content/sha256/${id.replace(/^sha256:/, "")}`;
    const tags = [...references].flatMap(([ref, each]) => (each === id ? ref : []));
    const what = `the config of image ${shortID(id as ImageID)} is missing, which is called ${tags.join(", ")}`;
    const found = { kind: "image-missing", severity: "damage", path, what } as const;
    const remedy: Step[] = [{ kind: "restore-image", id: id as ImageID }];
    yield finding(
      { ...found, means: "the image is in no list and cannot be used", remedy },
      concerned(known, id as ImageID),
    );
  }
}

function concerned({ state }: Known, id: ImageID) {
  const containers = [...state.containers].flatMap(([name, { config }]) => (config?.Image === id ? name : []));
  return { images: [id], containers };
}

function* metadata(known: Known): Generator<Finding> {
  const { metadata, contents, path } = known.state.images;
  for (const [name, { parent, lastUpdated }] of metadata) {
    const at = `${path}/imagedb/metadata/sha256/${name}`;
    const aside = (what: string): Step[] => [{ kind: "set-aside", path: what }];
    if (!contents.has(name)) {
      if (isTemporary(name) || isMissed(known, `sha256:${name}`)) continue;
      const what = "it is about an image that is not there";
      yield finding({
        kind: "image-metadata-orphan",
        severity: "leftover",
        path: at,
        what,
        means: "nothing: it only takes room",
        remedy: aside(at),
      });
      continue;
    }
    const id = `sha256:${name}` as ImageID;
    const above = textOf(parent)?.trim();
    if (parent && !isThere(known, above)) {
      const what = above ? `it names ${above.slice(0, 80)}, which is not there` : "it is empty or cannot be read";
      const found = { kind: "image-parent-dangling", severity: "damage", path: `${at}/parent` } as const;
      yield finding(
        {
          ...found,
          what,
          means: "dockerd fails to remove the image: unrecognized image ID",
          remedy: aside(`${at}/parent`),
        },
        { images: [id] },
      );
    }
    if (lastUpdated && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(textOf(lastUpdated) ?? "")) {
      const file = `${at}/lastUpdated`;
      const [what, means] = ["it is no time", "nobody knows when the image was tagged last"];
      yield finding({ kind: "image-time-damaged", severity: "oddity", path: file, what, means, remedy: aside(file) });
    }
  }
}

/** Also one whose config is to be restored. */
function isThere({ state }: Known, id: string | undefined): boolean {
  return id !== undefined && /^sha256:[0-9a-f]{64}$/.test(id) && state.images.contents.has(id.slice(7));
}
