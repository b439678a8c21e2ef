import { Option } from "commander";
import { WrongUsage } from "../failure.js";
import type { CreateRequest } from "./create-body.js";
import type { Flag } from "./flag.js";

const ownNetworks = "containers have an address of the bridge's choice, and no names but their own";
const links = "share the network of another container by --network container:NAME, or use the address inspect shows";

/** Options that docker has, of what there is not. */
export const refusedFlags: readonly Flag<CreateRequest>[] = [
  refused("--ip <address>", ownNetworks),
  refused("--ip6 <address>", ownNetworks),
  refused("--link-local-ip <address>", ownNetworks),
  refused("--network-alias <name>", ownNetworks),
  refused("--net-alias <name>", ownNetworks),
  refused("--link <container[:name]>", links),
];

function refused(flags: string, why: string): Flag<CreateRequest> {
  const option = () => new Option(flags).hideHelp();
  return {
    option,
    put() {
      throw new WrongUsage(`${option().long} is not supported: ${why}`);
    },
  };
}
