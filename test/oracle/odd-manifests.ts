import { mediaTypes, parseManifest } from "../../src/spec/index.js";

/**
 * Makes of an image in a registry, `NAME:1`, what else may stand there, each with a tag of its own.
 *
 * @param repository URL of `/v2/NAME`
 * @returns the tags
 */
export async function putOddManifests(repository: string): Promise<string[]> {
  const url = (tag: string) => `${repository}/manifests/${tag}`;
  const image = Buffer.from(
    await (await fetch(url("1"), { headers: { accept: mediaTypes.dockerManifest } })).arrayBuffer(),
  );
  const { config, layers } = parseManifest(image, "manifest");
  const blobs = { config: { ...config, mediaType: mediaTypes.ociConfig }, layers };
  const put = async (tag: string, mediaType: string, document: object) => {
    const body = JSON.stringify({ schemaVersion: 2, mediaType, ...document });
    const { status, headers } = await fetch(url(tag), { method: "PUT", headers: { "content-type": mediaType }, body });
    if (status !== 201) throw new Error(`${url(tag)} answered ${status}`);
    return { mediaType, digest: headers.get("docker-content-digest"), size: body.length };
  };
  const oci = await put("oci", mediaTypes.ociManifest, blobs);
  const platforms = [
    { os: "linux", architecture: "amd64" },
    { os: "linux", architecture: "arm64", variant: "v8" },
    { os: "windows", architecture: "amd64", "os.version": "10.0.1", "os.features": ["win32k"] },
  ];
  const manifests = platforms.map((platform) => ({ ...oci, platform }));
  await put("index", mediaTypes.ociIndex, { manifests });
  await put("list", mediaTypes.dockerIndex, { manifests });
  const artifact = { ...blobs.layers[0], mediaType: "application/vnd.example.config+json" };
  await put("artifact", mediaTypes.ociManifest, { config: artifact, layers });
  return ["1", "oci", "index", "list", "artifact"];
}
