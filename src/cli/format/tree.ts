/** A line and those under it. */
export interface Branch {
  readonly text: string;
  readonly below: readonly Branch[];
}

/** Lines of a tree, as tree(1) draws them. */
export function treeLines(branches: readonly Branch[]): string[] {
  return branches.flatMap(({ text, below }) => [text, ...under(below)]);
}

function under(branches: readonly Branch[]): string[] {
  return branches.flatMap(({ text, below }, at) => {
    const isLast = at === branches.length - 1;
    return [`${isLast ? "└─ " : "├─ "}${text}`, ...under(below).map((line) => `${isLast ? "   " : "│  "}${line}`)];
  });
}
