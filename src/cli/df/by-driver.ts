import type { ImageSummary, LayerInodes } from "../../engine/index.js";
import { shortID } from "../../spec/index.js";
import type { Client } from "../client.js";
import { connect } from "../connect.js";
import type { Interrupt } from "../interrupt.js";
import type { Listing } from "../print.js";
import type { Settings } from "../settings.js";

/** The inodes that each image takes in the home of either driver, whichever the root has. */
export async function byDriver(settings: Settings, interrupt: Interrupt): Promise<Listing> {
  const connection = await connect(settings, interrupt.stop);
  try {
    const images = await connection.client.get<ImageSummary[]>("/images/json");
    const rows: Listing["rows"][number][] = [];
    // One after the other: each may have a hundred thousand files.
    for (const image of images) rows.push(await rowOf(image, connection.client));
    return { rows, columns };
  } finally {
    await connection.end(interrupt.hurry);
  }
}

const columns = { IMAGE: "Names", "IMAGE ID": "ID", "OVERLAY2 INODES": "Overlay2", "OVERLAY INODES": "Overlay" };

async function rowOf({ Id, RepoTags }: ImageSummary, client: Client) {
  const inodes = await client.get<LayerInodes>(`/layerkit/inodes/${Id}`).catch(() => undefined);
  return {
    Names: RepoTags.join(",") || "<none>",
    ID: shortID(Id),
    Overlay2: String(inodes?.overlay2 ?? "N/A"),
    Overlay: String(inodes?.overlay ?? "N/A"),
  };
}
