import fc from "fast-check";

/** What a process does in the merged view, as data; `commit` makes the upper layer a lower one, under a fresh mount. */
export type Operation = Action | { readonly op: "commit" };

export type Action =
  | { readonly op: "mkdir" | "mkfifo" | "chmod"; readonly path: string; readonly mode: number }
  | { readonly op: "create"; readonly path: string; readonly mode: number; readonly text: string }
  | { readonly op: "replace" | "append"; readonly path: string; readonly text: string }
  | { readonly op: "truncate"; readonly path: string; readonly size: number }
  | { readonly op: "symlink"; readonly path: string; readonly target: string }
  | {
      readonly op: "mkdev";
      readonly path: string;
      readonly kind: "char" | "block";
      readonly major: number;
      readonly minor: number;
    }
  | { readonly op: "link" | "rename"; readonly path: string; readonly to: string }
  | { readonly op: "unlink" | "rmdir"; readonly path: string }
  | { readonly op: "chown"; readonly path: string; readonly uid: number; readonly gid: number }
  | { readonly op: "utimes"; readonly path: string; readonly mtimeNs: bigint }
  | { readonly op: "setXattr"; readonly path: string; readonly name: string; readonly text: string }
  | { readonly op: "removeXattr"; readonly path: string; readonly name: string };

/** Of a union, the one that `op` may be in. */
export type With<Op, Union> = Union extends { readonly op: infer Ops } ? (Op extends Ops ? Union : never) : never;

/** Where an operation is to act, told by what there is at that time: so most of them find something to act upon. */
export interface Aim {
  /** A name not there yet in a directory, a directory, something else, anything, or a path out of nowhere. */
  readonly at: "new" | "directory" | "leaf" | "any" | "blind";
  readonly pick: number;
  readonly name: string;
  readonly blind: string;
}

type Aimed<T> = T extends { path: string; to: string }
  ? Omit<T, "path" | "to"> & { readonly path: Aim; readonly to: Aim }
  : T extends { path: string }
    ? Omit<T, "path"> & { readonly path: Aim }
    : T;

/** An operation before its paths are chosen; `removeAll` takes a directory away with all that is in it. */
export type Draft = Aimed<Operation> | { readonly op: "removeAll"; readonly path: Aim };

// Few names, so that operations meet each other's files; one is no UTF-8.
const name = fc.constantFrom("a", "b", "c", "\udcff");
const blind = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));

function aim(...kinds: readonly Aim["at"][]): fc.Arbitrary<Aim> {
  const at = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...kinds) },
    { weight: 1, arbitrary: fc.constant("blind") },
  );
  return fc.record({ at: at as fc.Arbitrary<Aim["at"]>, pick: fc.nat(99), name, blind });
}

const fresh = aim("new", "new", "new", "new", "any");
const any = aim("any");
const directory = aim("directory", "directory", "directory", "any");
const leaf = aim("leaf", "leaf", "leaf", "any");
const mode = fc.constantFrom(0o755, 0o644, 0o600, 0o777, 0o4755, 0o2755, 0o2644, 0o1777, 0o000);
const text = fc.constantFrom("", "x", "content", "other content\n");
const id = fc.constantFrom(0, 1, 1000, 70_000);
const xattr = fc.constantFrom("user.one", "user.two");
const mtimeNs = fc.constantFrom(0n, 1n, -1n, 1_000_000_001n, 999_999_999_999_999_999n);
const target = fc.constantFrom("a", "../b", "/nowhere", "\udcfe");
const kind = fc.constantFrom("char" as const, "block" as const);

function draft<const Op extends Draft["op"]>(
  weight: number,
  op: Op,
  fields: { [Key in Exclude<keyof With<Op, Draft>, "op">]: fc.Arbitrary<With<Op, Draft>[Key]> },
): { weight: number; arbitrary: fc.Arbitrary<Draft> } {
  const record = fc.record({ op: fc.constant(op), ...(fields as Record<string, fc.Arbitrary<unknown>>) });
  return { weight, arbitrary: record as unknown as fc.Arbitrary<Draft> };
}

const making = [
  draft(6, "mkdir", { path: fresh, mode }),
  draft(5, "create", { path: fresh, mode, text }),
  draft(2, "symlink", { path: fresh, target }),
  draft(1, "mkfifo", { path: fresh, mode }),
  draft(2, "mkdev", { path: fresh, kind, major: fc.constantFrom(0, 240), minor: fc.nat(1) }),
  draft(3, "link", { path: leaf, to: fresh }),
];

const changing = [
  draft(6, "rename", { path: directory, to: fresh }),
  draft(4, "rename", { path: any, to: any }),
  draft(3, "rename", { path: leaf, to: aim("new", "leaf") }),
  draft(4, "unlink", { path: leaf }),
  draft(3, "rmdir", { path: directory }),
  draft(3, "removeAll", { path: directory }),
  draft(1, "replace", { path: leaf, text }),
  draft(2, "append", { path: leaf, text }),
  draft(1, "truncate", { path: leaf, size: fc.constantFrom(0, 3, 20) }),
  draft(2, "chmod", { path: any, mode }),
  draft(1, "chown", { path: any, uid: id, gid: id }),
  draft(2, "utimes", { path: any, mtimeNs }),
  draft(1, "setXattr", { path: any, name: xattr, text }),
  draft(1, "removeXattr", { path: any, name: xattr }),
  draft(4, "commit", {}),
];

const drafts = (...of: { weight: number; arbitrary: fc.Arbitrary<Draft> }[]) => fc.oneof(...of);

/** Something to begin with, a commit, and then all kinds of operations. */
export const plan: fc.Arbitrary<Draft[]> = fc
  .tuple(
    fc.array(drafts(...making), { maxLength: 12, size: "max" }),
    fc.array(drafts(...making, ...changing), { maxLength: 40, size: "max" }),
  )
  .map(([first, then]) => [...first, { op: "commit" }, ...then]);

/** What a run of a script shows. */
export interface Outcome {
  /** Of each operation `ok` or the errno's name. */
  readonly answers: readonly string[];
  /** The merged view before each commit and at the end, as lines. */
  readonly views: readonly (readonly string[])[];
  /** The upper layer at the same times, as lines. */
  readonly uppers: readonly (readonly string[])[];
}
