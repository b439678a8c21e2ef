import { Command } from "commander";
import type { ContainerInspect, PortMap } from "../../engine/index.js";
import { NotFound } from "../../spec/index.js";
import { pathPart } from "../client.js";
import { print } from "../print.js";
import { talking } from "../session.js";

export function portCommand(): Command {
  return new Command("port")
    .description("list the ports of the host that stand for a container's")
    .argument("<container>")
    .argument("[port[/protocol]]", "only this one")
    .action(
      talking(async ({ client, args: [name = "", wanted] }) => {
        const { NetworkSettings } = await client.get<ContainerInspect>(`/containers/${pathPart(name)}/json`);
        const { Ports } = NetworkSettings as { readonly Ports?: PortMap | null };
        if (wanted === undefined) return await print(...allPorts(Ports ?? {}));
        const bindings = Ports?.[wanted.includes("/") ? wanted : `${wanted}/tcp`];
        if (!bindings) throw new NotFound(`no public port ${JSON.stringify(wanted)} published for ${name}`);
        await print(...bindings.map(address));
      }),
    );
}

function allPorts(ports: PortMap): string[] {
  const lines = Object.entries(ports).flatMap(([port, bindings]) =>
    (bindings ?? []).map((binding) => `${port} -> ${address(binding)}`),
  );
  return lines.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
}

function address({ HostIp = "", HostPort = "" }: { HostIp?: string; HostPort?: string }): string {
  return `${HostIp.includes(":") ? `[${HostIp}]` : HostIp}:${HostPort}`;
}
