import { relative } from "node:path";
import type { Difference, Finding, Report, Step } from "../../doctor/index.js";
import { goJSON } from "../../spec/index.js";

/** How things are put, which the doctor knows. */
export interface Words {
  nameOf(report: Report, id: string): string;
  stepText(step: Step, root: string): string;
}

const heads = { damage: "Damage", leftover: "Left over", oddity: "Odd, and harmless" };
const mostFiles = 10;
const mostNames = 8;

/** For people: one block a finding, the worst first. */
export function lines(report: Report, words: Words): string[] {
  const { findings, root, driver } = report;
  if (findings.length === 0) return [`Nothing is wrong with ${root} (${driver}).`, ...kept(report)];
  const blocks = Object.entries(heads).flatMap(([severity, head]) => {
    const some = findings.filter((each) => each.severity === severity);
    return some.length === 0 ? [] : [`${head}:`, ...some.flatMap((each) => [...block(each, report, words), ""])];
  });
  return [...blocks, `${summary(findings)} in ${root} (${driver}).`, ...kept(report)];
}

/** Nothing to be repaired: it only takes room. */
function kept({ kept }: Report): string[] {
  if (!kept) return [];
  return [
    `${kept} ${kept === 1 ? "thing" : "things"} that repairs have removed ${kept === 1 ? "is" : "are"} kept: layerkit repair --list.`,
  ];
}

function block(finding: Finding, report: Report, words: Words): string[] {
  const { kind, path, what, means, images, containers } = finding;
  const named = (ids: readonly string[]) => shortened(ids.map((id) => words.nameOf(report, id)));
  return [
    `  ${relative(report.root, path) || path}  [${kind}]`,
    `    ${what}`,
    ...files(finding),
    `    means: ${means}`,
    ...(images.length > 0 ? [`    images: ${named(images)}`] : []),
    ...(containers.length > 0 ? [`    containers: ${named(containers)}`] : []),
    `    repair: ${repair(finding, report, words)}`,
  ];
}

function files({ files = [], moreFiles = 0 }: Finding): string[] {
  const shown = files.slice(0, mostFiles).map((each) => `      ${each.path}: ${how(each)}`);
  const more = files.length + moreFiles - shown.length;
  return more > 0 ? [...shown, `      and ${more} more`] : shown;
}

function how({ how, found, expected }: Difference): string {
  if (found !== undefined && expected !== undefined) return `${how}: ${found}, and should be ${expected}`;
  return expected === undefined ? how : `${how}: should be ${expected}`;
}

function repair({ remedy }: Finding, { root }: Report, { stepText }: Words): string {
  if (remedy.length === 0) return "nothing that could be proved right";
  return shortened(remedy.map((step) => stepText(step, root)));
}

function shortened(texts: readonly string[]): string {
  const rest = texts.length - mostNames;
  return [...texts.slice(0, mostNames), ...(rest > 0 ? [`${rest} more`] : [])].join(", ");
}

function summary(findings: readonly Finding[]): string {
  const count = (severity: string, one: string, several: string) => {
    const found = findings.filter((each) => each.severity === severity).length;
    return found === 0 ? [] : [`${found} ${found === 1 ? one : several}`];
  };
  const counts = [
    ...count("damage", "damage", "damages"),
    ...count("leftover", "leftover", "leftovers"),
    ...count("oddity", "oddity", "oddities"),
  ];
  return counts.join(", ");
}

/** For programs: one object a finding. */
export function json(report: Report, { stepText }: Words): string[] {
  const { findings, names, root } = report;
  const named = (ids: readonly string[]) => ids.map((id) => ({ ID: id, Name: names[id] ?? "" }));
  return findings.map(({ kind, severity, path, what, means, images, containers, remedy, files, moreFiles }) =>
    goJSON({
      ...{ Kind: kind, Severity: severity, Path: path, What: what, Means: means },
      ...{ Images: named(images), Containers: named(containers) },
      Remedy: remedy.map((step) => stepText(step, root)),
      Files: files?.map(({ path, how, found, expected }) => ({
        Path: path,
        How: how,
        Found: found,
        Expected: expected,
      })),
      MoreFiles: moreFiles,
    }),
  );
}
