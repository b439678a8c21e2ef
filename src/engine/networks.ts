import type { Filters, Network } from "./api-system.js";

/** The three networks Docker always has: `bridge`, `host` and `none`. */
export interface Networks {
  list(options?: { readonly filters?: Filters }): Network[];
  /** By name, id or unique prefix of an id. @throws NotFound: "network NAME not found" */
  inspect(name: string): Network;
}
