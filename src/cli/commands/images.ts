import { Command } from "commander";
import type { ImageSummary } from "../../engine/index.js";
import { shortID } from "../../spec/index.js";
import { filtersText } from "../filters.js";
import { size } from "../format/size.js";
import { ago, goTime } from "../format/time.js";
import { type Format, formatOption, print, printListing } from "../print.js";
import { talking } from "../session.js";
import { collect } from "../settings.js";

interface Options {
  readonly all?: boolean;
  readonly quiet?: boolean;
  readonly digests?: boolean;
  readonly trunc: boolean;
  readonly filter?: readonly string[];
  readonly format?: Format;
}

export function imagesCommand(): Command {
  return new Command("images")
    .description("list images")
    .argument("[name[:tag]]", "only images of this name")
    .option("-a, --all", "also the untagged parents of other images")
    .option("-q, --quiet", "ids only")
    .option("--digests", "show digests")
    .option("--no-trunc", "whole ids")
    .option("-f, --filter <key=value>", "dangling, label, before, since, reference or until; may be repeated", collect)
    .addOption(formatOption())
    .action(
      talking<Options>(async ({ client, args: [name], options }) => {
        const filters = filtersText([...(options.filter ?? []), ...(name === undefined ? [] : [`reference=${name}`])]);
        const list = await client.get<ImageSummary[]>("/images/json", { all: options.all, filters });
        const rows = list.flatMap((image) => imageRows(image, options));
        if (options.quiet) return await print(...rows.map((row) => row.ID));
        await printListing({ rows, columns: options.digests ? withDigests : columns }, options.format);
      }),
    );
}

const columns = { REPOSITORY: "Repository", TAG: "Tag", "IMAGE ID": "ID", CREATED: "CreatedSince", SIZE: "Size" };
const withDigests = {
  REPOSITORY: "Repository",
  TAG: "Tag",
  DIGEST: "Digest",
  "IMAGE ID": "ID",
  CREATED: "CreatedSince",
  SIZE: "Size",
};

/** One row a name, as `docker images` has it: tags, and digests where no tag has them. */
export function imageRows(image: ImageSummary, { trunc, digests }: { trunc: boolean; digests?: boolean }) {
  return namesOf(image, digests ?? false).map(({ Repository, Tag, Digest }) => ({
    Containers: image.Containers < 0 ? "N/A" : String(image.Containers),
    CreatedAt: goTime(image.Created),
    CreatedSince: ago(image.Created),
    Digest,
    ID: trunc ? shortID(image.Id) : image.Id,
    Repository,
    SharedSize: image.SharedSize < 0 ? "N/A" : size(image.SharedSize, 4),
    Size: size(image.Size),
    Tag,
    UniqueSize: image.SharedSize < 0 ? "N/A" : size(image.Size - image.SharedSize, 4),
  }));
}

const none = "<none>";

function namesOf({ RepoTags, RepoDigests }: ImageSummary, digests: boolean) {
  const byDigest = RepoDigests.map((name) => splitAt(name, "@"));
  const byTag = RepoTags.map((name) => splitAt(name, ":")).map(([Repository, Tag]) => {
    const own = byDigest.filter(([repository]) => repository === Repository).map(([, digest]) => digest);
    return { Repository, Tag, Digest: (digests && own[0]) || none };
  });
  const tagged = new Set(byTag.map(({ Repository }) => Repository));
  const rest = byDigest.filter(([repository]) => !tagged.has(repository));
  const untagged = rest.map(([Repository, Digest]) => ({ Repository, Tag: none, Digest }));
  const names = [...byTag, ...untagged];
  return names.length > 0 ? names : [{ Repository: none, Tag: none, Digest: none }];
}

function splitAt(name: string, sign: string): [string, string] {
  const at = name.lastIndexOf(sign);
  return [name.slice(0, at), name.slice(at + 1)];
}
