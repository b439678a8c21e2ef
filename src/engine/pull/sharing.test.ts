import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { layerTar } from "../../../test/oracle/image-stores.js";
import { answers, isSilent } from "../../../test/oracle/registry-faults.js";
import { shortID } from "../../spec/index.js";
import { drivers } from "../engine.test.tools.js";
import { type Driver, held, Pulling, watched } from "./pull.test.tools.js";

const tars = ["one", "two", "three", "four", "five"].map((name) => layerTar({ [name]: name }));
const blobs = tars.map((tar) => gzipSync(tar));

const layersOf = (it: Pulling, name: string) => it.engine.layers.ofImage(`${it.registry.host}/${name}`).length;

describe.for(drivers)("on $driver", ({ driver, skip }) => {
  const start = (more = {}) => Pulling.start(driver as Driver, more);

  describe.skipIf(skip)("two pulls", () => {
    test("share the layers they have in common, and are told of them both", async () => {
      await using it = await start();
      const [one, two] = it.registry.addImage("a:1", tars.slice(0, 2));
      it.registry.addImage("b:1", tars.slice(0, 3));
      const gate = held();
      it.registry.misbehave(new RegExp(one!.digest), gate.fault);
      const [a, b] = [watched(it, "a:1"), watched(it, "b:1")];
      await gate.came;
      await Promise.all([a, b].map(({ said }) => said("Pulling fs layer", two!.digest)));
      gate.letGo();
      await Promise.all([a.ended, b.ended]);
      expect([it.times(one!.digest), it.times(two!.digest)]).toEqual([1, 1]);
      for (const { seen } of [a, b]) {
        const ofOne = seen.filter(({ id }) => id === shortID(one!.digest)).map(({ status }) => status);
        expect(ofOne).toEqual(
          expect.arrayContaining(["Pulling fs layer", "Verifying Checksum", "Download complete", "Pull complete"]),
        );
      }
      expect([layersOf(it, "a:1"), layersOf(it, "b:1")]).toEqual([2, 3]);
      await it.engine.images.remove(`${it.registry.host}/a:1`);
      expect(layersOf(it, "b:1")).toBe(3);
      expect(await it.left()).toEqual([]);
    });

    test("one that is aborted leaves the other its layers; the last one to go ends them", async () => {
      await using it = await start();
      const [one] = it.registry.addImage("a:1", tars.slice(0, 2));
      const gates = [held(), held()] as const;
      it.registry.misbehave(new RegExp(one!.digest), ...gates.map(({ fault }) => fault));
      const leave = new AbortController();
      const [first, second] = [watched(it, "a:1", leave.signal), watched(it, "a:1")];
      await gates[0].came;
      await second.said("Pulling fs layer", one!.digest);
      leave.abort(new Error("enough"));
      await expect(first.ended).rejects.toThrow("enough");
      gates[0].letGo();
      await second.ended;
      expect(it.times(one!.digest)).toBe(1);
      await it.engine.images.remove(`${it.registry.host}/a:1`);

      const before = await it.paths();
      const gone = new AbortController();
      const pulls = [watched(it, "a:1", gone.signal), watched(it, "a:1", gone.signal)];
      await gates[1].came;
      gone.abort(new Error("enough"));
      for (const { ended } of pulls) await expect(ended).rejects.toThrow("enough");
      expect(await it.paths()).toEqual(before);
    });

    test("what one could not fetch, the other tries where it found it itself", async () => {
      await using it = await start();
      const [one] = it.registry.addImage("a:1", tars.slice(0, 1));
      it.registry.addImage("b:1", tars.slice(0, 1));
      const gate = held();
      it.registry.misbehave(new RegExp(`/a/blobs/${one!.digest}`), async (request, response, serve) => {
        gate.fault(request, response, () => answers(404)(request, response, serve));
      });
      const a = watched(it, "a:1");
      await gate.came;
      const b = watched(it, "b:1");
      await b.said("Pulling fs layer", one!.digest);
      gate.letGo();
      await expect(a.ended).rejects.toMatchObject({ code: "not-found" });
      await b.ended;
      expect(layersOf(it, "b:1")).toBe(1);
      expect(await it.left()).toEqual([]);
    });

    test("of one image at the same time both succeed", async () => {
      await using it = await start();
      it.registry.addImage("a:1", tars);
      await Promise.all(Array.from({ length: 5 }, () => it.pull("a:1")));
      expect(it.fetched.filter((digest, at, all) => all.indexOf(digest) === at)).toHaveLength(6);
      expect(layersOf(it, "a:1")).toBe(5);
      expect(await it.left()).toEqual([]);
    });
  });

  describe.skipIf(skip)("a pull that ends early", () => {
    test.for(["a registry that fails", "an abort"])(
      "for %s keeps what has come whole, also over a restart",
      async (why) => {
        await using it = await start();
        const [one, two, three, four] = it.registry.addImage("a:1", tars.slice(0, 4));
        const gate = held();
        it.registry.misbehave(new RegExp(`/a/blobs/${three!.digest}`), (...call) => {
          gate.fault(call[0], call[1], () => answers(500)(...call));
        });
        const abort = new AbortController();
        const pulling = watched(it, "a:1", abort.signal);
        await gate.came;
        await Promise.all([one!, two!].map(pulling.unpacked));
        if (why === "an abort") abort.abort(new Error("500"));
        else {
          it.registry.alwaysMisbehave(new RegExp(`/a/blobs/${three!.digest}`), answers(500));
          gate.letGo();
        }
        await expect(pulling.ended).rejects.toThrow("500");
        expect(it.engine.layers.list()).toHaveLength(2);
        await it.reopen();
        expect(it.engine.layers.list()).toHaveLength(2);

        it.registry.addImage("b:1", tars.slice(0, 4)); // where nothing fails
        const before = it.fetched.length;
        const lines = await it.lines("b:1").catch((error: Error) => [error.message]);
        expect(
          lines.filter((line) => line.endsWith("Already exists")),
          lines.join("\n"),
        ).toHaveLength(2);
        expect(it.fetched.slice(before)).not.toContain(one!.digest);
        expect(it.fetched.slice(before)).toContain(four!.digest);
        expect(await it.left()).toEqual([]);
        expect((await it.paths()).filter((path) => path.includes("layerkit-kept"))).toEqual([]);
        await it.engine.images.remove(`${it.registry.host}/b:1`);
        expect(it.engine.layers.list()).toEqual([]);
      },
    );

    test("keeps no layer that has not all below it", async () => {
      await using it = await start();
      const [one] = it.registry.addImage("a:1", tars.slice(0, 2));
      const before = await it.paths();
      it.registry.alwaysMisbehave(new RegExp(one!.digest), answers(404));
      await expect(it.pull("a:1")).rejects.toMatchObject({ code: "not-found" });
      expect(await it.paths()).toEqual(before);
    });

    test("keeps nothing of an image that is bad", async () => {
      await using it = await start();
      const bad = Buffer.from("this is no gzip");
      const [one, two] = it.registry.addImage("a:1", tars.slice(0, 2), [blobs[0]!, bad]);
      const before = await it.paths();
      const gate = held();
      it.registry.misbehave(new RegExp(two!.digest), gate.fault);
      const pulling = watched(it, "a:1");
      await gate.came;
      await pulling.unpacked(one!);
      gate.letGo();
      await expect(pulling.ended).rejects.toMatchObject({ code: "invalid-parameter" });
      expect(await it.paths()).toEqual(before);
    });

    test("leaves what prune removes, and counts", async () => {
      await using it = await start();
      const [one, two] = it.registry.addImage("a:1", [layerTar({ big: "x".repeat(5000) }), tars[1]!]);
      it.registry.misbehave(new RegExp(two!.digest), isSilent);
      const abort = new AbortController();
      const pulling = watched(it, "a:1", abort.signal);
      await pulling.unpacked(one!);
      abort.abort(new Error("enough"));
      await expect(pulling.ended).rejects.toThrow("enough");
      expect(it.engine.layers.list()).toHaveLength(1);
      expect(await it.engine.images.prune()).toMatchObject({ SpaceReclaimed: 5000 });
      expect(it.engine.layers.list()).toEqual([]);
      expect(await it.left()).toEqual([]);
    });
  });
});

describe.skipIf(drivers[1]?.skip)("layers", () => {
  test("are fetched so many at a time; the others wait", async () => {
    await using it = await Pulling.start("overlay2", { maxConcurrentDownloads: 2 });
    const layers = it.registry.addImage("a:1", tars);
    const gates = layers.map(({ digest }) => {
      const gate = held();
      it.registry.misbehave(new RegExp(digest), gate.fault);
      return gate;
    });
    const pulling = watched(it, "a:1");
    await Promise.all(gates.slice(0, 2).map(({ came }) => came));
    await Promise.all(layers.slice(2).map(({ digest }) => pulling.said("Waiting", digest)));
    expect(layers.slice(2).map(({ digest }) => it.times(digest))).toEqual([0, 0, 0]);
    gates[1]!.letGo();
    await gates[2]!.came;
    expect(layers.slice(3).map(({ digest }) => it.times(digest))).toEqual([0, 0]);
    for (const { letGo } of gates) letGo();
    await pulling.ended;
    expect(layersOf(it, "a:1")).toBe(5);
  });
});
