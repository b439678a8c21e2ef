import type { ContainerCreateBody, HostConfig } from "../../engine/index.js";

/** The body of a create while it is put together. */
export interface CreateRequest extends ContainerCreateBody {
  HostConfig: HostConfig;
}
