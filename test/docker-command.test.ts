import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Dockerd } from "./oracle/dockerd.js";
import { Layerkitd } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { output } from "./oracle/run.js";
import { sampleArchive, streamOf } from "./oracle/sample-image.js";
import { savedImages, spooled } from "./oracle/saved-images.js";
import { loopDisk } from "./oracle/scratch.js";
import { type Step, said, stepsOf } from "./oracle/side-by-side.js";

const skip = lacking("root", "mounts", "loop", "dockerd", "docker", "containerd", "runc", "mkfs.ext4");

/** What a user does in a day with images and containers at rest. The directory holds `sample.tar` and `rootfs.tar`. */
function script(at: (name: string) => string): Step[] {
  return stepsOf([
    ["images"],
    ["ps", "-a"],
    ["load", "-i", at("sample.tar")],
    ["load", "-q", "-i", at("sample.tar")],
    ["images"],
    ["images", "--no-trunc", "-q"],
    ["images", "--filter", "reference=sample*", "--format", "{{.Repository}}:{{.Tag}} {{.ID}} {{.Size}}"],
    ["image", "ls", "--digests"],
    ["history", "sample:1"],
    ["history", "--no-trunc", "--human=false", "sample:1"],
    [
      "image",
      "inspect",
      "--format",
      "{{json .RootFS}} {{json .Config.Cmd}} {{.Architecture}} {{.Os}} {{.Id}}",
      "sample:1",
    ],
    ["tag", "sample:1", "other/name:2"],
    ["tag", "sample:1", "localhost:5000/a/b"],
    ["tag", "nothing", "other"],
    ["images", { sorted: true }],
    ["create", "--name", "one", "sample:1"],
    ["create", "--name", "one", "sample:1"],
    ["create", "--name", "two", "--env", "A=b", "--workdir", "/tmp", "--label", "l=v", "sample:1", "ls", "-l"],
    ["ps"],
    ["ps", "-a"],
    ["ps", "-a", "--no-trunc", "--format", "{{.Names}} {{.Image}} {{.Command}} {{.State}} {{.Labels}}"],
    ["ps", "-aq", "--filter", "label=l=v"],
    ["inspect", "--format", "{{.Name}} {{.Path}} {{json .Args}} {{json .State.Status}} {{json .Config.Env}}", "two"],
    ["inspect", "--format", "{{json .Config}} {{json .Mounts}} {{.Driver}} {{.Image}}", "two"],
    ["inspect", "nothing"],
    ["cp", at("file"), "one:/var/copied"],
    ["cp", at("file"), "one:/etc/app.conf"],
    ["cp", at("file"), "one:/no/such/place"],
    ["cp", "one:/etc/app.conf", "-", { tar: true }],
    ["cp", "one:/usr/share/greetings", "-", { tar: true }],
    ["cp", "one:/nothing", "-"],
    ["cp", "-", "one:/", { options: { input: Buffer.alloc(1024) } }],
    ["diff", "one", { sorted: true }],
    ["diff", "two", { sorted: true }],
    ["commit", "-m", "a message", "-a", "somebody", "-c", "ENV X=y", "-c", 'CMD ["ls"]', "one", "made:1"],
    ["commit", "two", "empty:1"],
    ["history", "--format", "{{.CreatedBy}}|{{.Size}}|{{.Comment}}", "made:1"],
    ["history", "--format", "{{.CreatedBy}}|{{.Size}}|{{.Comment}}", "empty:1"],
    ["image", "inspect", "--format", "{{json .Config}} {{.Author}} {{.Comment}} {{.Size}} {{.Parent}}", "made:1"],
    ["images", "--format", "{{.Repository}}:{{.Tag}} {{.Size}}", { sorted: true }],
    ["rename", "two", "second"],
    ["rename", "one", "second"],
    ["ps", "-a", "--format", "{{.Names}}"],
    ["export", "second", { tar: true }],
    ["import", at("rootfs.tar"), "imported:1"],
    ["import", "-c", "ENV A=b", "-m", "said so", at("rootfs.tar"), "imported:2"],
    ["history", "--format", "{{.CreatedBy}}|{{.Size}}|{{.Comment}}", "imported:2"],
    ["system", "df", "--format", "{{.Type}} {{.TotalCount}} {{.Active}}"],
    ["rmi", "sample:1"],
    ["rmi", "other/name:2", "localhost:5000/a/b:latest"],
    ["rmi", "nothing"],
    ["rm", "one", "second"],
    ["rm", "nothing"],
    ["rmi", "made:1"],
    ["rmi", "empty:1", "imported:1", "imported:2"],
    ["rmi", "sample:1"],
    ["images", "-a"],
    ["system", "df", "--format", "{{.Type}} {{.TotalCount}} {{.Active}}"],
  ]);
}

describe.skipIf(skip)("the docker command, unchanged", () => {
  test("prints with us what it prints with dockerd", { timeout: 180_000 }, async () => {
    await using disk = await loopDisk("ext4", "2G");
    const at = (name: string) => join(disk.path, name);
    await spooled(streamOf(await sampleArchive("sample:1")), at("sample.tar"));
    await writeFile(at("file"), "copied in\n", { mode: 0o640 });
    await output("tar", [
      "-C",
      disk.path,
      "--owner=0",
      "--group=0",
      "--mtime=@1700000000",
      "-cf",
      at("rootfs.tar"),
      "file",
    ]);
    const steps = script(at);
    const ours = await said(await Layerkitd.start(at("ours")), steps);
    const theirs = await said(await Dockerd.start(at("theirs")), steps);
    for (const [i, { args }] of steps.entries()) {
      expect(ours[i], `docker ${args.join(" ")}`).toEqual(theirs[i]);
    }
  });

  test.skipIf(lacking("skopeo"))("saves what dockerd loads and skopeo reads", { timeout: 60_000 }, async () => {
    await using disk = await loopDisk("ext4", "1G");
    const at = (name: string) => join(disk.path, name);
    await spooled(streamOf(await sampleArchive("sample:1")), at("sample.tar"));
    {
      await using ours = await Layerkitd.start(at("ours"));
      await ours.docker("load", "-i", at("sample.tar"));
      await ours.docker("save", "-o", at("saved.tar"), "sample:1");
    }
    const [given] = await savedImages(at("sample.tar"));
    expect(await savedImages(at("saved.tar"))).toEqual([given]);
    await output("skopeo", [
      "copy",
      "-q",
      "--insecure-policy",
      `docker-archive:${at("saved.tar")}`,
      `dir:${at("dir")}`,
    ]);
    await using dockerd = await Dockerd.start(at("theirs"));
    expect(await dockerd.docker("load", "-i", at("saved.tar"))).toBe("Loaded image: sample:1");
    expect(await dockerd.docker("image", "inspect", "--format", "{{.Id}}", "sample:1")).toBe(given?.id);
  });

  test("info and version show what scripts look for", async () => {
    await using disk = await loopDisk("ext4", "1G");
    await using daemon = await Layerkitd.start(join(disk.path, "data"));
    const info = (await daemon.docker("info")).split("\n").map((line) => line.trimEnd());
    expect(info).toEqual(
      expect.arrayContaining([
        " Storage Driver: overlay2",
        "  Backing Filesystem: extfs",
        "  Supports d_type: true",
        "  Native Overlay Diff: true",
      ]),
    );
    expect(await daemon.docker("version", "--format", "{{.Server.APIVersion}}")).toMatch(/^1\.\d+$/);
  });
});
