import { Conflict, InvalidParameter, messageOf } from "../../spec/index.js";
import { type ContainerParts, emitContainer } from "./container-parts.js";
import { parseContainerName } from "./names.js";

/** @see Containers.rename */
export async function renameContainer(parts: ContainerParts, name: string, to: string): Promise<void> {
  const { store, lives } = parts;
  if (name === "" || to === "") throw new InvalidParameter("Neither old nor new names may be empty");
  const { ID: id } = store.find(name).stored;
  await lives.turn(id, async () => {
    const container = store.find(id);
    const before = container.stored.Name;
    const after = allocated(() => parseContainerName(`/${to.replace(/^\//, "")}`));
    if (after === before) throw new InvalidParameter("Renaming a container with the same name as its current name");
    allocated(() => store.reserve(after, id));
    const NetworkSettings = { ...container.stored.NetworkSettings, IsAnonymousEndpoint: false };
    const renamed = { ...container, stored: { ...container.stored, Name: after, NetworkSettings } };
    try {
      await store.update(renamed);
    } catch (error) {
      store.free(after);
      throw error;
    }
    store.free(before);
    emitContainer(parts, renamed, "rename", { oldName: before });
  });
}

function allocated<T>(take: () => T): T {
  const message = (error: unknown) => `Error when allocating new name: ${messageOf(error)}`;
  try {
    return take();
  } catch (error) {
    if (error instanceof Conflict) throw new Conflict(message(error), { cause: error });
    if (error instanceof InvalidParameter) throw new InvalidParameter(message(error), { cause: error });
    throw error;
  }
}
