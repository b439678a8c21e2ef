import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { output } from "../../../test/oracle/run.js";
import { scratch } from "../../../test/oracle/scratch.js";
import { compareTrees } from "./compare-trees.js";

const skip = lacking("root", "cp", "setfattr");

const made = `
mkdir -p a/d b; cd a; echo one > d/file; ln d/file hard; ln -s d soft; mkfifo fifo; mknod null c 1 3; echo two > other
ln other d/other; chmod 4711 d/file; chown -h 3:4 soft; setfattr -n user.k -v v d; cp -a . ../b
`;

/** What is done to the copy, and what is told of it. */
const changes = {
  "chmod 711 d/file": /"d\/file": type and mode was 104711, is 100711/,
  "chown 5 fifo": /"fifo": user was 0, is 5/,
  "echo more >> other": /size/,
  "touch -d @1 hard": /time was/,
  "touch -r other t; echo ONE > other; touch -r t other; rm t": /content differs/,
  "setfattr -n user.k -v w d": /"d": xattrs were/,
  "ln -sfn e soft; chown -h 3:4 soft; touch -h -r ../a/soft soft": /"soft": its target differs/,
  "cp -p hard h; mv h hard": /"hard": it was one with "d\/file", is with "hard"/,
  "rm null; mknod null c 1 5; touch -r ../a/null null": /"null": minor number was 3, is 5/,
  "touch new": /"new" is in one of them only/,
  "rm -r d/other": /"d\/other" is in one of them only/,
  "rm soft; mkdir soft; chown 3:4 soft": /"soft": type and mode/,
};

describe.skipIf(skip)("two trees", () => {
  test("are the same when all but times of directories is", async () => {
    await using place = await scratch();
    await output("sh", ["-ec", made], { cwd: place.path });
    const [a, b] = [join(place.path, "a"), join(place.path, "b")];
    expect(compareTrees(a, b, { exact: true })).toBeUndefined();
    await output("touch", ["-d", "@1", join(b, "d")]);
    expect(compareTrees(a, b)).toBeUndefined();
    expect(compareTrees(a, b, { exact: true })).toMatch(/"d": time was/);
    expect(compareTrees(a, b, { enters: () => false })).toBeUndefined();
  });

  test.for(Object.entries(changes))("differ after %s", async ([change, told]) => {
    await using place = await scratch();
    await output("sh", ["-ec", `${made}\ncd ../b; ${change}`], { cwd: place.path });
    expect(compareTrees(join(place.path, "a"), join(place.path, "b"))).toMatch(told);
  });
});
