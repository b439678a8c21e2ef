import { nowNs, randomID, rfc3339, Undo } from "../../spec/index.js";
import type { ContainerCreateBody, ContainerCreated } from "../api-container.js";
import type { ContainerCreateOptions } from "../containers.js";
import { type ContainerParts, emitContainer } from "./container-parts.js";
import { type ContainerRequest, readRequest } from "./container-request.js";
import type { Container } from "./container-store.js";
import { makeMountPoints } from "./make-mounts.js";
import { parseContainerName, randomName } from "./names.js";
import { prepareTree } from "./prepare-tree.js";
import { type NewContainer, newContainer } from "./stored.js";

/** Makes a container, all or nothing. @see Containers.create */
export async function createContainer(
  parts: ContainerParts,
  body: ContainerCreateBody,
  { name, signal, flatReadOnly = false }: ContainerCreateOptions = {},
): Promise<ContainerCreated> {
  const { store, layers } = parts;
  const request = await readRequest(parts, randomID(), body, flatReadOnly);
  const { id, image, host } = request;
  const stored = name ? parseContainerName(name) : randomName((taken) => store.isTaken(taken));

  await using held = new Undo();
  await using undo = new Undo();
  store.reserve(stored, id);
  undo.defer(() => store.free(stored));
  const parent = image?.topLayer && { parent: image.topLayer };
  await layers.rw.create(id, { ...parent, init: true, ...(host.StorageOpt && { storage: host.StorageOpt }) });
  undo.defer(() => layers.rw.remove(id));
  signal?.throwIfAborted();
  const { mounts, fresh } = await makeMountPoints(parts, request, { undo, held });
  await prepareTree(parts, request, fresh);
  signal?.throwIfAborted();
  const container = containerOf(parts, request, { Name: stored, nameless: !name, MountPoints: mounts });
  await store.add(container);
  undo.done();
  emitContainer(parts, container, "create");
  return { Id: id, Warnings: [] };
}

function containerOf(
  { driver: Driver }: ContainerParts,
  { id: ID, image, config: Config, host, security, networks }: ContainerRequest,
  made: Pick<NewContainer, "Name" | "nameless" | "MountPoints">,
): Container {
  const [Path = "", ...Args] = [...(Config.Entrypoint ?? []), ...(Config.Cmd ?? [])];
  const what = { ID, Created: rfc3339(nowNs()), Path, Args, Config, Image: image?.id ?? "" };
  return { stored: { ...newContainer({ ...what, ...made, Driver, networks }), ...security }, host };
}
