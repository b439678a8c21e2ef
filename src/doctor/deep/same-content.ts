import type { FilesInside } from "../../driver/index.js";
import type { Path } from "../../spec/index.js";

/** Whether two files have the same bytes; both are read. */
export function sameContent(a: FilesInside, pathA: Path, b: FilesInside, pathB: Path, size: number): boolean {
  const [ofA, ofB] = [a.content(pathA, size), b.content(pathB, size)];
  try {
    // Each piece is there only until the next is asked for, of whichever file.
    for (;;) {
      const nextA = ofA.next();
      const pieceA = nextA.done ? undefined : Buffer.from(nextA.value);
      const nextB = ofB.next();
      if (nextA.done || nextB.done) return nextA.done === nextB.done;
      if (!pieceA!.equals(nextB.value)) return false;
    }
  } finally {
    ofA.return();
    ofB.return();
  }
}
