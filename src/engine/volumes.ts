import type { Filters, Volume, VolumeCreateBody, VolumeList, VolumesPruned } from "./api-system.js";

/** Local volumes: directories under `volumes/NAME/_data`. */
export interface Volumes {
  list(options?: { readonly filters?: Filters }): Promise<VolumeList>;
  /** @throws NotFound: "get NAME: no such volume" */
  inspect(name: string): Promise<Volume>;
  /** Makes a volume; one that is there is given back as it is. @throws InvalidParameter: bad name, driver or option */
  create(body: VolumeCreateBody): Promise<Volume>;
  /** @throws Conflict: in use; NotFound, unless `force` */
  remove(name: string, options?: { readonly force?: boolean }): Promise<void>;
  /** Removes unused volumes: anonymous ones only when `anonymousOnly`. */
  prune(options?: { readonly filters?: Filters; readonly anonymousOnly?: boolean }): Promise<VolumesPruned>;
}
