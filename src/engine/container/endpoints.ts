import { InvalidParameter, NotImplemented, type RunConfig } from "../../spec/index.js";
import type { CreateBody } from "./create-body.js";

/**
 * What a container may not ask of its networks, which are those that are always there. As dockerd, which makes such a
 * container and does not start it.
 *
 * @throws InvalidParameter, in dockerd's words; NotImplemented: links
 */
export function checkEndpoints(endpoints: CreateBody["endpoints"]): void {
  for (const endpoint of Object.values(endpoints)) {
    const addresses = Object.values(endpoint?.IPAMConfig ?? {}).flat();
    if (addresses.some(Boolean)) {
      throw new InvalidParameter("user specified IP address is supported on user defined networks only");
    }
    if (endpoint?.Aliases?.length) {
      throw new InvalidParameter("network-scoped alias is supported only for containers in user defined networks");
    }
    checkLinks(endpoint?.Links);
  }
}

/** @throws NotImplemented: there are some */
export function checkLinks(links: readonly string[] | null | undefined): void {
  if (!links?.length) return;
  throw new NotImplemented(
    `links to other containers (${links.join(", ")}) are not implemented: share the network of one by ` +
      "container:NAME, or use the address that inspect shows",
  );
}

const macAddress = /^([0-9a-f]{2}([:-]))([0-9a-f]{2}\2){4}[0-9a-f]{2}$/i;

/** From API 1.44 on clients name it with the network; it has one place here, as before. @throws InvalidParameter: it is none */
export function withMacAddress(config: RunConfig, endpoints: CreateBody["endpoints"]): RunConfig {
  const asked = Object.values(endpoints).map((endpoint) => endpoint?.MacAddress);
  const MacAddress = config.MacAddress || asked.find(Boolean);
  if (!MacAddress) return config;
  if (!macAddress.test(MacAddress)) throw new InvalidParameter(`invalid MAC address: ${MacAddress}`);
  return { ...config, MacAddress };
}
