import { createHash } from "node:crypto";
import { textOf } from "../../root/fact.js";
import type { RootState } from "../../root/root-state.js";

/** What Docker calls a layer's directory in `overlay2/l`. */
export const shortName = /^[A-Z0-9]{26}$/;

/** The directory that a symlink in `overlay2/l` leads to. */
export function directoryOf(target: string | undefined): string | undefined {
  return /^\.\.\/([^/]+)\/diff$/.exec(target ?? "")?.[1];
}

/** The short names that a `lower` consists of, top first; undefined: it makes no sense. */
export function namesInLower(text: string): string[] | undefined {
  const parts = text.split(":").map((part) => /^l\/([A-Z0-9]{26})$/.exec(part)?.[1]);
  return parts.every((part) => part !== undefined) ? parts : undefined;
}

/**
 * The short name of each layer's directory: as its `link` says; else as the symlink that leads to it is called; else
 * as the layer upon it calls it; else a new one, which the directory's name gives.
 *
 * @param below the directory below each, where that is known
 */
export class ShortNames {
  readonly #names = new Map<string, string>();
  readonly #directories = new Map<string, string>();

  constructor({ directories, links }: RootState, below: ReadonlyMap<string, string | undefined>) {
    const set = (directory: string, name: string) => {
      if (this.#names.has(directory) || this.#directories.has(name)) return;
      this.#names.set(directory, name);
      this.#directories.set(name, directory);
    };
    // Of two that say one name it is the one to which the symlink leads.
    const isOfAnother = (id: string, text: string) => {
      const other = directoryOf(links.get(text)?.target);
      return other !== undefined && other !== id && textOf(directories.get(other)?.link) === text;
    };
    for (const [id, { link }] of directories) {
      const text = textOf(link) ?? "";
      if (shortName.test(text) && !isOfAnother(id, text)) set(id, text);
    }
    for (const [name, { target }] of links) {
      const id = directoryOf(target);
      if (id !== undefined && shortName.test(name)) set(id, name);
      // The kernel follows it, whatever `link` says.
      if (id !== undefined && !this.#directories.has(name)) this.#directories.set(name, id);
    }
    for (const [id, lowerID] of below) {
      const [first] = namesInLower(textOf(directories.get(id)?.lower) ?? "") ?? [];
      if (lowerID !== undefined && first !== undefined) set(lowerID, first);
    }
  }

  /** The short name that a directory has or should get. */
  of(id: string): string {
    return this.#names.get(id) ?? newName(id);
  }

  /** Whose a short name is. */
  directory(name: string): string | undefined {
    return this.#directories.get(name);
  }
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function newName(id: string): string {
  return Array.from(createHash("sha256").update(id).digest().subarray(0, 26), (byte) => alphabet[byte & 31]).join("");
}
