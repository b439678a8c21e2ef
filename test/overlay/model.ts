import { FileSystemError, Overlay, type Tree, walk } from "../../src/overlayfs/index.js";
import { linesOf, now } from "./lines.js";
import type { Action, Aim, Draft, Operation, Outcome, With } from "./script.js";

/** What the model says of a plan, the script that the plan comes to, and the layers it leaves, bottom first. */
export function onModel(plan: readonly Draft[], redirectDir = false): Modelled {
  const model = new Model(redirectDir);
  for (const draft of plan) model.run(draft);
  model.commit();
  return model;
}

interface Modelled {
  readonly script: readonly Operation[];
  readonly outcome: Outcome;
  readonly layers: readonly Tree[];
}

class Model implements Modelled {
  readonly script: Operation[] = [];
  readonly outcome = { answers: [] as string[], views: [] as string[][], uppers: [] as string[][] };
  readonly layers: Tree[] = [new Overlay([], { now: () => now }).upper()];
  readonly #redirectDir: boolean;
  #overlay: Overlay;

  constructor(redirectDir: boolean) {
    this.#redirectDir = redirectDir;
    this.#overlay = this.#mount();
  }

  #mount(): Overlay {
    return new Overlay(this.layers, { now: () => now, redirectDir: this.#redirectDir });
  }

  run(draft: Draft): void {
    if (draft.op === "commit") {
      this.script.push(draft);
      this.commit();
    } else if (draft.op === "removeAll") {
      for (const action of this.#removeAll(this.#aimed(draft.path))) this.#act(action);
    } else {
      const to = "to" in draft ? { to: this.#aimed(draft.to) } : {};
      this.#act({ ...draft, path: this.#aimed(draft.path), ...to } as Action);
    }
  }

  commit(): void {
    this.outcome.views.push(linesOf(this.#overlay.view()));
    this.outcome.uppers.push(linesOf(this.#overlay.upper()));
    this.layers.push(this.#overlay.upper());
    this.#overlay = this.#mount();
  }

  #act(action: Action): void {
    this.script.push(action);
    this.outcome.answers.push(answer(this.#overlay, action));
  }

  #aimed({ at, pick, name, blind }: Aim): string {
    if (at === "blind") return blind;
    const all = [...walk(this.#overlay.view())];
    const directories = all.filter(([, { kind }]) => kind === "directory").map(([path]) => path);
    const leaves = all.filter(([, { kind }]) => kind !== "directory").map(([path]) => path);
    if (at === "new") return [picked(["", ...directories], pick), name].filter((part) => part !== "").join("/");
    return picked(at === "directory" ? directories : at === "leaf" ? leaves : all.map(([path]) => path), pick) ?? blind;
  }

  #removeAll(path: string): Action[] {
    const found = this.#overlay.lookup(path)?.inode;
    if (found?.kind !== "directory") return [{ op: "unlink", path }];
    const inside = [...walk(this.#overlay.view())].filter(([below]) => below.startsWith(`${path}/`)).reverse();
    const gone = inside.map(
      ([below, { kind }]) => ({ op: kind === "directory" ? "rmdir" : "unlink", path: below }) as const,
    );
    return [...gone, { op: "rmdir", path }];
  }
}

function picked(paths: readonly string[], pick: number): string | undefined {
  return paths[pick % paths.length];
}

function answer(overlay: Overlay, action: Action): string {
  try {
    perform(overlay, action);
    return "ok";
  } catch (error) {
    if (error instanceof FileSystemError) return error.code;
    throw error;
  }
}

type Performers = { [Op in Action["op"]]: (overlay: Overlay, action: With<Op, Action>) => void };

const performers: Performers = {
  mkdir: (overlay, { path, mode }) => overlay.mkdir(path, mode),
  create: (overlay, { path, mode, text }) => overlay.create(path, mode, content(text)),
  mkfifo: (overlay, { path, mode }) => overlay.mkfifo(path, mode),
  mkdev: (overlay, { path, kind, major, minor }) => overlay.mkdev(path, 0o600, { kind, major, minor }),
  symlink: (overlay, { path, target }) => overlay.symlink(path, target),
  replace: (overlay, { path, text }) => overlay.write(path, content(text)),
  append: (overlay, { path, text }) =>
    text === "" ? overlay.open(path) : overlay.write(path, content(textAt(overlay, path) + text)),
  truncate: (overlay, { path, size }) =>
    overlay.write(path, content(textAt(overlay, path).slice(0, size).padEnd(size, "\0"))),
  link: (overlay, { path, to }) => overlay.link(path, to),
  rename: (overlay, { path, to }) => overlay.rename(path, to),
  unlink: (overlay, { path }) => overlay.unlink(path),
  rmdir: (overlay, { path }) => overlay.rmdir(path),
  chmod: (overlay, { path, mode }) => overlay.chmod(path, mode),
  chown: (overlay, { path, uid, gid }) => overlay.chown(path, uid, gid),
  utimes: (overlay, { path, mtimeNs }) => overlay.utimes(path, mtimeNs),
  setXattr: (overlay, { path, name, text }) => overlay.setXattr(path, name, Buffer.from(text)),
  removeXattr: (overlay, { path, name }) => overlay.removeXattr(path, name),
};

function perform(overlay: Overlay, action: Action): void {
  const performer = performers[action.op] as (overlay: Overlay, action: Action) => void;
  performer(overlay, action);
}

function content(text: string): { size: number; content: string } {
  return { size: text.length, content: text };
}

function textAt(overlay: Overlay, path: string): string {
  const inode = overlay.lookup(path)?.inode;
  return inode?.kind === "file" ? (inode.content ?? "") : "";
}
