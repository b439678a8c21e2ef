import { resolve } from "node:path";
import { type Check, type RootSurvey, surveyRoot } from "../engine/index.js";
import { goJSON } from "../spec/index.js";
import { SomeFailed } from "./failure.js";
import { table } from "./format/table.js";
import { type Format, print } from "./print.js";
import type { Settings } from "./settings.js";

/**
 * Prints what storage drivers need and find in a directory.
 *
 * @throws SomeFailed: none can run there, or not the one that is named or has data there
 */
export async function checkPlace(
  dir: string,
  { driver, storageOptions }: Settings,
  format: Format | undefined,
): Promise<void> {
  const place = resolve(dir);
  const survey = await surveyRoot(place, { ...(driver && { driver }), storageOptions });
  await print(...(format === "json" ? [goJSON(wire(survey))] : lines(place, survey)));
  if (survey.driver === undefined) throw new SomeFailed("no storage driver can run");
}

function wire({ directory, checks, drivers, driver = "" }: RootSurvey): object {
  return {
    Directory: directory,
    Checks: checks.map(({ name, found, needed, outcome, remedy = "" }) => ({
      ...{ Name: name, Outcome: outcome, Found: found, Needed: needed, Remedy: remedy },
    })),
    Drivers: drivers.map(({ name, obstacles }) => ({
      Name: name,
      Works: obstacles.length === 0,
      Obstacles: obstacles,
    })),
    Driver: driver,
  };
}

function lines(place: string, { directory, checks, drivers, driver }: RootSurvey): string[] {
  const isThere = directory === place || directory.startsWith(`${place}/`);
  const rows = checks.map(({ outcome, name, found, needed }) => [outcome, name, found, needed]);
  const remedies = checks.filter(({ remedy }) => remedy !== undefined);
  return [
    `Directory: ${directory}${isThere ? "" : ` (${place} is not there yet)`}`,
    ...table(["OUTCOME", "CHECK", "FOUND", "NEEDED"], rows),
    ...(remedies.length > 0 ? ["What to do:", ...remedies.map(remedyLine)] : []),
    "Storage drivers:",
    ...drivers.map(({ name, obstacles }) =>
      obstacles.length === 0 ? ` ${name}: works` : ` ${name}: does not work: ${obstacles.join(", ")}`,
    ),
    verdict(driver),
  ];
}

function verdict(driver: string | undefined): string {
  if (driver === undefined) return "No storage driver can run here.";
  return `${driver} would be used here${driver === "vfs" ? ", with a full copy of all files for each layer" : ""}.`;
}

function remedyLine({ name, remedy }: Check): string {
  return ` ${name}: ${remedy}`;
}
