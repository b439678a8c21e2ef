import { messageOf } from "../../spec/index.js";
import type { ContainerParts } from "../container/container-parts.js";
import type { Container } from "../container/container-store.js";
import type { StoredContainer, StoredMount } from "../container/stored.js";
import { unmountVolume } from "./volume-mounts.js";

/**
 * Takes back what a container had while it ran: networks, tree, volumes. A failure is reported, and the rest goes on.
 *
 * @returns its file from then on
 */
export async function release(parts: ContainerParts, container: Container): Promise<StoredContainer> {
  const { stored } = container;
  const { attachments, lives, events, report } = parts;
  const life = lives.of(stored.ID);
  const step = (what: string, run: () => Promise<void>) =>
    run().catch((error) => report(`container ${stored.ID}: ${what}: ${messageOf(error)}`));
  let { NetworkSettings } = stored;
  await step("its networks", async () => {
    NetworkSettings = await attachments.detach(container);
  });
  await step("its tree cannot be unmounted", async () => life.held?.[Symbol.asyncDispose]());
  life.held = undefined;
  const mounted = Object.values(stored.MountPoints).filter(({ Type, ID }) => Type === "volume" && ID);
  for (const { Name } of mounted) {
    await step(`volume ${Name}`, () => unmountVolume(parts, Name));
    events.emit("volume", "unmount", Name, { container: stored.ID, driver: "local" });
  }
  return { ...stored, NetworkSettings, MountPoints: withoutIDs(stored.MountPoints) };
}

function withoutIDs(mounts: StoredContainer["MountPoints"]): StoredContainer["MountPoints"] {
  const plain = ({ ID: _, ...mount }: StoredMount): StoredMount => mount;
  return Object.fromEntries(Object.entries(mounts).map(([place, mount]) => [place, plain(mount)]));
}
