import { chmodSync, cpSync, mkdirSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { output } from "../oracle/run.js";
import { app, child, type OverlayDriver, type RootDriver } from "./docker-root.js";
import type { RootAt } from "./root-at.js";

/** Something that befalls a root that was whole. */
export interface Damage {
  /** What has happened, for people. */
  readonly name: string;
  /** What `check` calls it, and nothing else that it finds. */
  readonly kind: string;
  /** Where only one driver has such a thing. */
  readonly only?: OverlayDriver;
  /** It is of what layers have where they are mounted: not with vfs. */
  readonly ofMounts?: boolean;
  readonly make: (root: RootAt) => unknown;
  /** Takes back what is not in the root's own files. */
  readonly end?: (root: RootAt) => unknown;
}

const hex = (digit: string) => digit.repeat(64);
const overlay2 = { only: "overlay2" } as const;
const ofMounts = { ofMounts: true } as const;
const overlay = { only: "overlay" } as const;
const bottom = (root: RootAt) => root.layers(app)[0]!;
const second = (root: RootAt) => root.layers(app)[1]!;
const top = (root: RootAt) => root.layers(app).at(-1)!;

/** What `lower` or `lower-id` of the container `ran` is called. */
const lowerFile = (root: RootAt) => (root.driver === "overlay2" ? "lower" : "lower-id");

const links: readonly Damage[] = [
  {
    name: "the symlink of a bottom layer is gone",
    kind: "link-missing",
    ...overlay2,
    make: (root) => root.remove(root.link(bottom(root).dir)),
  },
  {
    name: "the symlink of a container's layer is gone",
    kind: "link-missing",
    ...overlay2,
    make: (root) => root.remove(root.link(root.container("ran").mount)),
  },
  {
    ...{ name: "a symlink leads to another layer", kind: "link-wrong", ...overlay2 },
    make: (root) => {
      const link = root.link(second(root).dir);
      root.remove(link);
      symlinkSync(`../${bottom(root).cacheID}/diff`, link);
    },
  },
  {
    ...{ name: "a symlink leads to a layer that is gone", kind: "link-dangling", ...overlay2 },
    make: (root) => symlinkSync(`../${hex("e")}/diff`, join(root.home, "l", "A".repeat(26))),
  },
  {
    ...{ name: "two symlinks lead to one layer", kind: "link-spare", ...overlay2 },
    make: (root) => symlinkSync(`../${bottom(root).cacheID}/diff`, join(root.home, "l", "B".repeat(26))),
  },
  {
    name: "a layer has no link file",
    kind: "link-file-damaged",
    ...overlay2,
    make: (root) => root.remove(join(top(root).dir, "link")),
  },
  {
    name: "a link file is empty",
    kind: "link-file-damaged",
    ...overlay2,
    make: (root) => root.write(join(bottom(root).dir, "link"), ""),
  },
  {
    ...{ name: "link file and symlink of a layer are gone", kind: "link-file-damaged", ...overlay2 },
    make: (root) => {
      const { dir } = second(root);
      root.remove(root.link(dir));
      root.remove(join(dir, "link"));
    },
  },
  {
    name: "a link file says another layer's name",
    kind: "link-file-damaged",
    ...overlay2,
    make: (root) => root.write(join(second(root).dir, "link"), root.read(join(bottom(root).dir, "link"))),
  },
];

const lowers: readonly Damage[] = [
  {
    name: "an image layer has no lower",
    kind: "lower-missing",
    ...overlay2,
    make: (root) => root.remove(join(top(root).dir, "lower")),
  },
  {
    name: "lower of an image layer is empty",
    kind: "lower-missing",
    ...overlay2,
    make: (root) => root.write(join(second(root).dir, "lower"), ""),
  },
  {
    name: "what a container lies on is not said",
    kind: "lower-missing",
    ...ofMounts,
    make: (root) => root.remove(join(root.container("ran").mount, lowerFile(root))),
  },
  {
    ...{ name: "lower leaves a layer out", kind: "lower-wrong", ...overlay2 },
    make: (root) => {
      const file = join(top(root).dir, "lower");
      root.write(file, root.read(file).split(":").slice(1).join(":"));
    },
  },
  {
    name: "a bottom layer has a lower",
    kind: "lower-wrong",
    ...overlay2,
    make: (root) => root.write(join(bottom(root).dir, "lower"), `l/${root.read(join(second(root).dir, "link"))}`),
  },
  {
    ...{ name: "a container lies on another image's layer", kind: "lower-wrong", ...ofMounts },
    make: (root) => {
      const text = root.driver === "overlay2" ? `l/${root.read(join(bottom(root).dir, "link"))}` : bottom(root).cacheID;
      root.write(join(root.container("fresh").mount, lowerFile(root)), text);
    },
  },
];

const directories: readonly Damage[] = [
  {
    name: "the directory of an image layer is gone",
    kind: "layer-directory-missing",
    make: (root) => root.remove(second(root).dir),
  },
  {
    name: "the directory of a container is gone",
    kind: "container-directory-missing",
    make: (root) => root.remove(root.container("ran").mount),
  },
  {
    name: "the directory of an init layer is gone",
    kind: "init-directory-missing",
    make: (root) => root.remove(root.container("ran").init),
  },
  {
    ...{ name: "an init layer is empty", kind: "init-empty" },
    make: (root) => {
      const { initUpper } = root.container("fresh");
      root.remove(initUpper);
      mkdirSync(initUpper, 0o755);
    },
  },
  {
    name: "diff of an image layer is gone",
    kind: "diff-missing",
    ...overlay2,
    make: (root) => root.remove(top(root).tree),
  },
  {
    name: "root of an image layer is gone",
    kind: "root-missing",
    ...overlay,
    make: (root) => root.remove(top(root).tree),
  },
  {
    name: "diff of a container is gone",
    kind: "diff-missing",
    ...overlay2,
    make: (root) => root.remove(root.container("ran").upper),
  },
  {
    name: "diff of an init layer is gone",
    kind: "diff-missing",
    ...overlay2,
    make: (root) => root.remove(root.container("ran").initUpper),
  },
  {
    name: "upper of a container is gone",
    kind: "upper-missing",
    ...overlay,
    make: (root) => root.remove(root.container("ran").upper),
  },
  {
    name: "work of a container is gone",
    kind: "work-missing",
    ...ofMounts,
    make: (root) => root.remove(join(root.container("ran").mount, "work")),
  },
  {
    name: "work of an image layer is gone",
    kind: "work-missing",
    ...overlay2,
    make: (root) => root.remove(join(second(root).dir, "work")),
  },
  {
    name: "an image layer is not marked committed",
    kind: "committed-missing",
    ...overlay2,
    make: (root) => root.remove(join(bottom(root).dir, "committed")),
  },
  {
    ...{ name: "an image layer has parts of a writable one", kind: "layer-left-half", ...overlay },
    make: (root) => mkdirSync(join(second(root).dir, "upper")),
  },
];

const entries: readonly Damage[] = [
  { name: "the entry of a layer is gone", kind: "layer-missing", make: (root) => root.remove(second(root).entry) },
  {
    ...{ name: "the entry of a layer is empty", kind: "layer-entry-damaged" },
    make: (root) => {
      const { entry } = second(root);
      root.remove(entry);
      mkdirSync(entry, 0o700);
    },
  },
  {
    ...{ name: "an entry that no image has is damaged", kind: "layer-broken" },
    make: (root) => {
      const entry = join(root.layerdb, "sha256", hex("f"));
      cpSync(bottom(root).entry, entry, { recursive: true });
      chmodSync(entry, 0o700);
      root.write(join(entry, "cache-id"), hex("e"));
      root.remove(join(entry, "diff"));
    },
  },
  {
    name: "the diff of a layer is empty",
    kind: "layer-diff-damaged",
    make: (root) => root.write(join(second(root).entry, "diff"), ""),
  },
  {
    name: "the diff of a layer is another one's",
    kind: "layer-diff-damaged",
    make: (root) => root.write(join(second(root).entry, "diff"), root.read(join(top(root).entry, "diff"))),
  },
  {
    name: "the parent of a layer is gone",
    kind: "layer-parent-damaged",
    make: (root) => root.remove(join(top(root).entry, "parent")),
  },
  {
    name: "the parent of a layer is another one",
    kind: "layer-parent-damaged",
    make: (root) => root.write(join(top(root).entry, "parent"), `sha256:${bottom(root).entry.slice(-64)}`),
  },
  {
    name: "the cache-id of a layer is empty",
    kind: "layer-cache-id-damaged",
    make: (root) => root.write(join(second(root).entry, "cache-id"), ""),
  },
  {
    ...{ name: "the cache-ids of two layers upon each other are empty", kind: "layer-cache-id-damaged", ...overlay2 },
    make: (root) => {
      for (const { entry } of [bottom(root), second(root)]) root.write(join(entry, "cache-id"), "");
    },
  },
  {
    name: "the cache-id of a layer is another one's",
    kind: "layer-cache-id-damaged",
    ...overlay2,
    make: (root) => root.write(join(second(root).entry, "cache-id"), bottom(root).cacheID),
  },
  {
    name: "the size of a layer ends in a newline",
    kind: "layer-size-damaged",
    make: (root) => root.write(join(second(root).entry, "size"), `${root.read(join(second(root).entry, "size"))}\n`),
  },
  {
    name: "the size of a layer is gone",
    kind: "layer-size-damaged",
    make: (root) => root.remove(join(bottom(root).entry, "size")),
  },
  {
    name: "the tar-split of a layer is gone",
    kind: "layer-split-missing",
    make: (root) => root.remove(join(second(root).entry, "tar-split.json.gz")),
  },
  {
    name: "the tar-split of a layer is empty",
    kind: "layer-split-missing",
    make: (root) => root.write(join(bottom(root).entry, "tar-split.json.gz"), ""),
  },
  {
    ...{ name: "a layer is no image's", kind: "layer-unused" },
    make: (root) => {
      const diffID = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
      const entry = join(root.layerdb, "sha256", diffID);
      mkdirSync(entry, 0o700);
      root.write(join(entry, "diff"), `sha256:${diffID}`);
      root.write(join(entry, "size"), "0");
      root.write(join(entry, "cache-id"), hex("d"));
      cpSync(join(bottom(root).entry, "tar-split.json.gz"), join(entry, "tar-split.json.gz"));
      strayDirectory(root, hex("d"));
    },
  },
];

/** A layer's directory like dockerd makes it, that nothing speaks of. */
function strayDirectory(root: RootAt, id: string): void {
  const dir = join(root.home, id);
  mkdirSync(dir, 0o710);
  mkdirSync(join(dir, root.driver === "overlay2" ? "diff" : "root"));
  if (root.driver !== "overlay2") return;
  const link = "Q".repeat(25) + id.slice(0, 1).toUpperCase();
  root.write(join(dir, "link"), link);
  symlinkSync(`../${id}/diff`, join(root.home, "l", link));
}

const leftovers: readonly Damage[] = [
  {
    ...{ name: "dockerd was killed while it made a layer", kind: "write-set" },
    make: (root) => {
      const set = join(root.layerdb, "tmp", "write-set-123456789");
      mkdirSync(set, 0o700);
      root.write(join(set, "tar-split.json.gz"), "");
    },
  },
  {
    ...{ name: "layerkit was killed while it made a layer", kind: "write-set" },
    make: (root) => {
      mkdirSync(join(root.layerdb, "tmp", `write-set-${hex("c")}`), 0o700);
      strayDirectory(root, hex("c"));
    },
  },
  {
    ...{ name: "a daemon was killed while it removed a layer", kind: "layer-removing" },
    make: (root) => {
      const entry = join(root.layerdb, "sha256", `${hex("b")}-${hex("a")}-removing`);
      mkdirSync(entry, 0o700);
      root.write(join(entry, "cache-id"), hex("c"));
      strayDirectory(root, hex("c"));
    },
  },
  {
    name: "a layer's directory belongs to nothing",
    kind: "directory-orphan",
    make: (root) => strayDirectory(root, hex("c")),
  },
  {
    name: "something else lies in the driver's home",
    kind: "foreign",
    make: (root) => mkdirSync(join(root.home, "deadbeef")),
  },
  {
    name: "a trial of the file system was left",
    kind: "probe-left",
    make: (root) => mkdirSync(join(root.home, "check-overlayfs-support123456789")),
  },
  {
    name: "an extraction was killed",
    kind: "extraction-left",
    make: (root) => mkdirSync(join(top(root).tree, ".pivot_root123456789")),
  },
  {
    name: "a copy of a tree was killed",
    kind: "tree-left",
    ...overlay,
    make: (root) => mkdirSync(join(top(root).dir, "tmproot123456789")),
  },
  {
    name: "a mount point was left",
    kind: "merged-left",
    ...ofMounts,
    make: (root) => {
      const merged = join(root.container("ran").mount, "merged");
      mkdirSync(merged);
      // When the container was started; that it ended has been written since.
      utimesSync(merged, 1, 1);
    },
  },
  {
    ...{ name: "a container that does not run is mounted", kind: "mount-left", ...ofMounts },
    make: async (root) => {
      const { mount, upper } = root.container("ran");
      mkdirSync(join(mount, "merged"));
      const dirs = `lowerdir=${bottom(root).tree},upperdir=${upper},workdir=${mount}/work`;
      await output("mount", ["-t", "overlay", "overlay", "-o", dirs, join(mount, "merged")]);
    },
    end: (root) =>
      output("sh", [
        "-c",
        'grep -q " $1 " /proc/mounts && umount "$1" || true',
        "sh",
        join(root.container("ran").mount, "merged"),
      ]),
  },
  {
    ...{ name: "dockerd was killed: the root is mounted on itself", kind: "root-bound" },
    make: (root) => output("mount", ["--bind", root.path, root.path]),
    end: (root) => output("sh", ["-c", 'grep -q " $1 " /proc/mounts && umount "$1" || true', "sh", root.path]),
  },
  {
    name: "a file was half written",
    kind: "file-half-written",
    make: (root) => root.write(join(root.images, ".tmp-repositories.json123456789"), '{"Repo'),
  },
  {
    name: "an operation was killed that worked in tmp",
    kind: "tmp-left",
    make: (root) => mkdirSync(join(root.path, "tmp/docker-import-123456789"), { recursive: true }),
  },
  {
    name: "something else lies in the root",
    kind: "foreign",
    make: (root) => root.write(join(root.path, "notes.txt"), "mine"),
  },
];

const mounts: readonly Damage[] = [
  {
    name: "a container has no writable layer",
    kind: "mount-missing",
    make: (root) => root.remove(root.container("ran").entry),
  },
  {
    name: "the mount-id of a container is empty",
    kind: "mount-id-damaged",
    make: (root) => root.write(join(root.container("ran").entry, "mount-id"), ""),
  },
  {
    name: "the init-id of a container is gone",
    kind: "init-id-damaged",
    make: (root) => root.remove(join(root.container("ran").entry, "init-id")),
  },
  {
    name: "the init-id of a container is cut off",
    kind: "init-id-damaged",
    make: (root) => root.halve(join(root.container("ran").entry, "init-id")),
  },
  {
    name: "the parent of a container is gone",
    kind: "mount-parent-damaged",
    make: (root) => root.remove(join(root.container("ran").entry, "parent")),
  },
  {
    name: "a container's directory is gone",
    kind: "mount-orphan",
    make: (root) => root.remove(root.container("ran").dir),
  },
];

const containers: readonly Damage[] = [
  {
    name: "the configuration of a container is empty",
    kind: "container-config-damaged",
    make: (root) => root.write(root.container("ran").config, ""),
  },
  {
    name: "the configuration of a container is half written",
    kind: "container-config-damaged",
    make: (root) => root.halve(root.container("ran").config),
  },
  {
    name: "the configuration of a container is gone",
    kind: "container-config-damaged",
    make: (root) => root.remove(root.container("upper").config),
  },
  {
    name: "a container's directory has another's name",
    kind: "container-id-wrong",
    make: (root) => root.edit(root.container("ran").config, (config) => (config.ID = hex("9"))),
  },
  {
    name: "a container names no driver",
    kind: "container-driver-wrong",
    make: (root) => root.edit(root.container("ran").config, (config) => delete config.Driver),
  },
  {
    name: "a container has no Config",
    kind: "container-section-missing",
    make: (root) => root.edit(root.container("ran").config, (config) => delete config.Config),
  },
  {
    name: "a container has no NetworkSettings",
    kind: "container-network-missing",
    make: (root) => root.edit(root.container("ran").config, (config) => delete config.NetworkSettings),
  },
  {
    ...{ name: "a container's image has no name", kind: "container-image-unnamed" },
    make: (root) =>
      root.edit(root.container("ran").config, (config) => ((config.Config as { Image: string }).Image = "")),
  },
  {
    name: "the hostconfig.json of a container is gone",
    kind: "hostconfig-damaged",
    make: (root) => root.remove(join(root.container("fresh").dir, "hostconfig.json")),
  },
  {
    name: "the hostconfig.json of a container is empty",
    kind: "hostconfig-damaged",
    make: (root) => root.write(join(root.container("fresh").dir, "hostconfig.json"), ""),
  },
  {
    name: "a directory of a container is all that is left of it",
    kind: "container-empty",
    make: (root) => mkdirSync(join(root.path, "containers", hex("8")), 0o710),
  },
  {
    ...{ name: "a container was being removed", kind: "container-dead" },
    make: (root) => {
      const { config, mount } = root.container("ran");
      if (root.driver === "overlay2") root.remove(root.link(mount));
      root.remove(mount);
      root.edit(config, (value) => ((value.State as { Dead: boolean }).Dead = true));
    },
  },
  {
    name: "something else lies in containers",
    kind: "foreign",
    make: (root) => root.write(join(root.path, "containers/backup.tar"), "mine"),
  },
];

const images: readonly Damage[] = [
  {
    name: "the config of an image is empty",
    kind: "image-config-damaged",
    make: (root) => root.write(root.config(child), ""),
  },
  {
    name: "a byte of an image's config is another one",
    kind: "image-config-damaged",
    make: (root) => root.write(root.config(child), root.read(root.config(child)).replace("amd64", "amd65")),
  },
  { name: "the config of an image is gone", kind: "image-missing", make: (root) => root.remove(root.config(child)) },
  {
    ...{ name: "what is known beside an image is left of it", kind: "image-metadata-orphan" },
    make: (root) => {
      const metadata = join(root.images, "imagedb/metadata/sha256", hex("7"));
      mkdirSync(metadata, 0o700);
      root.write(join(metadata, "lastUpdated"), "2024-01-02T03:04:05.678Z");
    },
  },
  {
    name: "the image that another was made from is gone",
    kind: "image-parent-dangling",
    make: (root) => root.write(join(root.metadata(child), "parent"), `sha256:${hex("6")}`),
  },
  {
    name: "the parent of an image is empty",
    kind: "image-parent-dangling",
    make: (root) => root.write(join(root.metadata(child), "parent"), ""),
  },
  {
    name: "the time of an image's tag is empty",
    kind: "image-time-damaged",
    make: (root) => root.write(join(root.metadata(child), "lastUpdated"), ""),
  },
  { name: "repositories.json is empty", kind: "tags-damaged", make: (root) => root.write(root.tags, "") },
  { name: "repositories.json is half written", kind: "tags-damaged", make: (root) => root.halve(root.tags) },
  { name: "repositories.json is gone", kind: "tags-missing", make: (root) => root.remove(root.tags) },
  {
    ...{ name: "a tag names no image", kind: "tag-dangling" },
    make: (root) =>
      root.edit(
        root.tags,
        ({ Repositories }) => ((Repositories as Record<string, unknown>).gone = { "gone:1": `sha256:${hex("5")}` }),
      ),
  },
  {
    ...{ name: "a tag is none", kind: "tag-invalid" },
    make: (root) =>
      root.edit(
        root.tags,
        ({ Repositories }) =>
          ((Repositories as Record<string, unknown>)["A B"] = { "A B:!": `sha256:${root.image(app)}` }),
      ),
  },
  {
    ...{ name: "a record of the registry cache is empty", kind: "distribution-damaged" },
    make: (root) => {
      const dir = join(root.images, "distribution/v2metadata-by-diffid/sha256");
      mkdirSync(dir, { recursive: true });
      root.write(join(dir, hex("4")), "");
    },
  },
  {
    name: "the database of volumes is overwritten",
    kind: "database-damaged",
    make: (root) => root.write(join(root.path, "volumes/metadata.db"), "x".repeat(32768)),
  },
  {
    name: "the database of networks is cut off",
    kind: "database-damaged",
    make: (root) => root.write(join(root.path, "network/files/local-kv.db"), "x".repeat(100)),
  },
];

const modes: readonly Damage[] = [
  { name: "everybody may look into the root", kind: "mode-wrong", make: (root) => chmodSync(root.path, 0o755) },
  { name: "everybody may write names of images", kind: "mode-wrong", make: (root) => chmodSync(root.tags, 0o666) },
  {
    name: "everybody may look into a layer",
    kind: "mode-wrong",
    ...ofMounts,
    make: (root) => chmodSync(top(root).dir, 0o777),
  },
  { name: "a layer's entry is closed", kind: "mode-wrong", make: (root) => chmodSync(top(root).entry, 0o000) },
];

/** Whether a root of the driver can have it. */
function happensTo(driver: RootDriver, { only, ofMounts }: Pick<Damage, "only" | "ofMounts">): boolean {
  return (only === undefined || only === driver) && !(ofMounts && driver === "vfs");
}

/** With `DAMAGE=all` in the environment, everything is tried with every driver. */
export const isAll = process.env.DAMAGE === "all";

/** For what takes long and is much the same with all drivers: the first of them, with `DAMAGE=all` all. */
export function firstOf<D extends RootDriver>(drivers: readonly D[]): readonly D[] {
  return isAll ? drivers : drivers.slice(0, 1);
}

/** Those that are tried with `driver`: what can befall several of `drivers`, with each of them in turn. */
export function triedWith<D extends Pick<Damage, "only" | "ofMounts">>(
  driver: RootDriver,
  drivers: readonly RootDriver[],
  all: readonly D[],
): D[] {
  return all.filter((damage, at) => {
    const able = drivers.filter((each) => happensTo(each, damage));
    return isAll ? able.includes(driver) : able[at % able.length] === driver;
  });
}

export const damages: readonly Damage[] = [
  ...[links, lowers, directories, entries, leftovers, mounts, containers, images, modes].flat(),
];
