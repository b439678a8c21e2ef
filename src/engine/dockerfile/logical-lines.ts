/**
 * The instructions of a Dockerfile text, one a line: comments and empty lines gone, lines that end in a backslash
 * joined with the next.
 */
export function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let open = "";
  for (const line of text.split("\n").map((raw) => raw.replace(/\r$/, ""))) {
    if (/^\s*(#|$)/.test(line)) continue;
    const continued = /^(.*?)\\[ \t]*$/.exec(line);
    if (continued) {
      open += continued[1];
      continue;
    }
    lines.push((open + line).trim());
    open = "";
  }
  if (open.trim() !== "") lines.push(open.trim());
  return lines;
}
