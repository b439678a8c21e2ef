import { collectPrograms } from "../../src/cli/tour/programs.js";
import { rawTar } from "./raw-tar.js";

/**
 * A tar of a root file system to run containers in: programs of this machine, and texts.
 *
 * @param texts content by path, without a `/` in front
 */
export async function smallRoot(programs: readonly string[], texts: Readonly<Record<string, string>>): Promise<Buffer> {
  const files = await collectPrograms(programs);
  const all = [
    ...files.map(({ path, content }) => ({ name: path.slice(1), content, mode: 0o755 })),
    ...Object.entries(texts).map(([name, content]) => ({ name, content, mode: 0o644 })),
  ];
  const above = new Set(all.flatMap(({ name }) => parents(name)));
  return rawTar([...[...above].map((name) => ({ name, type: "5", mode: 0o755 })), ...all]);
}

function parents(path: string): string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, i) => `${names.slice(0, i + 1).join("/")}/`);
}
