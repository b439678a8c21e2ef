import { type Fact, textOf } from "../../root/fact.js";
import type { Finding, Step } from "../finding.js";
import { type Known, whoNeedsDirectory } from "../known/known.js";
import { directoryOf, namesInLower, shortName } from "../known/short-names.js";
import { finding } from "../rule.js";
import { foreignThing } from "./foreign-thing.js";

const cannotMount = "what stands on the layer cannot be mounted: containers do not start, images cannot be saved";

/** overlay2: each directory has a short name, in its `link` and as a symlink in `l` that leads back to it. */
export function* links(known: Known): Generator<Finding> {
  const { state, uses } = known;
  if (state.driver !== "overlay2") return;
  for (const [id, { node, link }] of state.directories) {
    if (node.kind !== "directory" || !(uses.has(id) || state.cached.has(id))) continue;
    const problem = linkProblem(known, id, link);
    if (problem !== undefined) yield linkFile(known, id, problem);
    else yield* symlink(known, id);
  }
  yield* strays(known);
}

function linkProblem({ names }: Known, id: string, link: Fact | undefined): string | undefined {
  if (!link) return "the file is missing that says the layer's short name";
  const text = textOf(link);
  if (text === undefined) return "the file that says the layer's short name cannot be read";
  if (text === "") return "the file is empty that says the layer's short name";
  if (!shortName.test(text)) return "the file does not say a short name";
  return text === names.of(id) ? undefined : "the short name it says is that of another layer";
}

function linkFile(known: Known, id: string, what: string): Finding {
  const { state, names } = known;
  const [path, name] = [`${state.home}/${id}/link`, names.of(id)];
  const write: Step = { kind: "write-file", path, text: name, mode: 0o644 };
  const isThere = directoryOf(state.links.get(name)?.target) === id;
  return finding(
    {
      ...{ kind: "link-file-damaged", severity: "damage", path, what },
      means: "what is made upon the layer, a container or an image, fails or lies on nothing",
      remedy: isThere ? [write] : [write, linkTo(known, id)],
    },
    whoNeedsDirectory(known, id),
  );
}

export function linkTo({ state, names }: Pick<Known, "state" | "names">, id: string): Step {
  return { kind: "make-link", path: `${state.home}/l/${names.of(id)}`, target: `../${id}/diff` };
}

function* symlink(known: Known, id: string): Generator<Finding> {
  const { state, names } = known;
  const name = names.of(id);
  const [path, link] = [`${state.home}/l/${name}`, state.links.get(name)];
  if (!link) {
    const what = `the symlink is missing by which layer ${id} is mounted`;
    const found = { kind: "link-missing", severity: "damage", path, what, means: cannotMount } as const;
    yield finding({ ...found, remedy: [linkTo(known, id)] }, whoNeedsDirectory(known, id));
  } else if (directoryOf(link.target) !== id) {
    const to = link.target === undefined ? `it is a ${link.node.kind}, no symlink` : `it leads to ${link.target}`;
    const found = { kind: "link-wrong", severity: "damage", path, means: cannotMount } as const;
    const remedy: Step[] = [{ kind: "set-aside", path }, linkTo(known, id)];
    yield finding({ ...found, what: `${to}, and should lead to ../${id}/diff`, remedy }, whoNeedsDirectory(known, id));
  }
}

/** What in `l` is nobody's short name. */
function* strays({ state, uses, names }: Known): Generator<Finding> {
  const inLowers = new Set(
    [...state.directories.values()].flatMap(({ lower }) => namesInLower(textOf(lower) ?? "") ?? []),
  );
  const said = new Set([...state.directories.values()].map(({ link }) => textOf(link)));
  for (const [name, { target }] of state.links) {
    const id = directoryOf(target);
    const isItsOwn = id !== undefined && names.of(id) === name && (state.directories.has(id) || uses.has(id));
    if (said.has(name) || isItsOwn) continue;
    const path = `${state.home}/l/${name}`;
    const remedy: Step[] = [{ kind: "set-aside", path }];
    const means = "nothing: it only takes room";
    if (id === undefined || !shortName.test(name)) {
      yield foreignThing(path, "it is no layer's short name");
    } else if (!state.directories.has(id) && !uses.has(id)) {
      const what = `it leads to ${target}, which is not there`;
      yield finding({ kind: "link-dangling", severity: "leftover", path, what, means, remedy });
    } else if (state.directories.has(id) && !inLowers.has(name)) {
      const what = `layer ${id} has another short name`;
      yield finding({ kind: "link-spare", severity: "leftover", path, what, means, remedy });
    }
  }
}
