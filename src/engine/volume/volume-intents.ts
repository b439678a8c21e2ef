import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const prefix = "volumes-of-";

/**
 * Notes, before they are made, the nameless volumes of a container that is being made; the note goes with the result.
 * A note that a crash left tells which volumes belong to nobody.
 *
 * @param tmp the data root's `tmp`
 */
export async function noteVolumes(tmp: string, id: string, names: readonly string[]): Promise<AsyncDisposable> {
  const note = join(tmp, `${prefix}${id}`);
  if (names.length > 0) await writeFile(note, names.join("\n"), { mode: 0o600 });
  return { [Symbol.asyncDispose]: () => rm(note, { force: true }) };
}

export function isNote(name: string): boolean {
  return name.startsWith(prefix);
}

/** The notes that are there: container ids and the names of their volumes. They are taken away when `done` is called. */
export async function notedVolumes(tmp: string) {
  const notes = (await readdir(tmp)).filter(isNote);
  return Promise.all(
    notes.map(async (note) => ({
      id: note.slice(prefix.length),
      names: (await readFile(join(tmp, note), "utf8")).split("\n").filter((name) => /^[0-9a-f]{64}$/.test(name)),
      done: () => rm(join(tmp, note), { force: true }),
    })),
  );
}
