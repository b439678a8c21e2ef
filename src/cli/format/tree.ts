/** A line, or a few, and what is under them. */
export interface Branch {
  readonly text: string;
  readonly below: readonly Branch[];
}

/** Lines of a tree, as tree(1) draws them. */
export function treeLines(branches: readonly Branch[]): string[] {
  return branches.flatMap(({ text, below }) => [...text.split("\n"), ...under(below)]);
}

function under(branches: readonly Branch[]): string[] {
  return branches.flatMap(({ text, below }, at) => {
    const isLast = at === branches.length - 1;
    const [first = "", ...more] = [...text.split("\n"), ...under(below)];
    return [`${isLast ? "└─ " : "├─ "}${first}`, ...more.map((line) => `${isLast ? "   " : "│  "}${line}`)];
  });
}
