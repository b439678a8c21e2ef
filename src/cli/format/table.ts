/** Lines of a table in columns as the docker command sets them: at least so wide, three spaces between. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], least = 10): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(least, ...all.map((row) => widthOf(row[column] ?? "") + 3)));
  return all.map((row) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : pad(cell, widths[column] ?? 0))).join(""),
  );
}

function pad(cell: string, width: number): string {
  return cell + " ".repeat(Math.max(0, width - widthOf(cell)));
}

function widthOf(cell: string): number {
  return [...cell].length;
}
