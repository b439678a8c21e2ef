import { tarOf } from "../../archive/index.js";
import type { Change } from "../../overlayfs/index.js";
import { hexOf, sha256 } from "../../spec/index.js";
import type { SampleLayer } from "./sample.js";

/**
 * Layers as the archive that `docker save` would write of an image made of them: for `docker load`, or ours.
 *
 * @param layers bottom first
 * @param tag the image's name
 */
export async function dockerArchive(layers: readonly SampleLayer[], tag: string): Promise<Buffer> {
  const tars = await Promise.all(layers.map(({ changes }) => gathered(tarOf(changes))));
  const config = Buffer.from(JSON.stringify(configOf(layers, tars)));
  const configName = `${hexOf(sha256(config))}.json`;
  const names = tars.map((tar) => `${hexOf(sha256(tar))}/layer.tar`);
  const manifest = [{ Config: configName, RepoTags: [tag], Layers: names }];
  const files = tars.map((tar, i) => member(names[i] as string, tar));
  files.push(member(configName, config), member("manifest.json", Buffer.from(JSON.stringify(manifest))));
  return gathered(tarOf(files));
}

const created = "2024-01-01T00:00:00Z";

/** @see OCI image-spec v1.1 config.md */
function configOf(layers: readonly SampleLayer[], tars: readonly Buffer[]): object {
  const architectures: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };
  return {
    architecture: architectures[process.arch] ?? process.arch,
    config: { Cmd: ["/bin/sh"], Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] },
    created,
    history: layers.map(({ about }) => ({ created, created_by: about })),
    os: "linux",
    rootfs: { type: "layers", diff_ids: tars.map(sha256) },
  };
}

function member(path: string, content: Buffer): Change {
  const meta = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n, xattrs: new Map() };
  return { kind: "file", path, meta, size: content.length, body: [content] };
}

async function gathered(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
