import { Command } from "commander";
import type { Version } from "../../engine/index.js";
import { goJSON } from "../../spec/index.js";
import { type Format, formatOption, print } from "../print.js";
import { talking } from "../session.js";

export function versionCommand(): Command {
  return new Command("version")
    .description("show the versions of client and daemon")
    .addOption(formatOption("-f, --format <form>"))
    .action(
      talking<{ format?: Format }>(async ({ client, options }) => {
        const server = await client.get<Version>("/version");
        const [{ apiVersion }, { productVersion }] = await Promise.all([
          import("../../daemon/index.js"),
          import("../../engine/index.js"),
        ]);
        const own = { Version: productVersion, ApiVersion: apiVersion, NodeVersion: process.version };
        if (options.format === "json") return await print(goJSON({ Client: own, Server: server }));
        await print("Client:", ...clientLines(own), "", "Server:", ...serverLines(server));
      }),
    );
}

function clientLines(own: { Version: string; ApiVersion: string; NodeVersion: string }): string[] {
  return [
    ` Version:           ${own.Version}`,
    ` API version:       ${own.ApiVersion}`,
    ` Node version:      ${own.NodeVersion}`,
    ` OS/Arch:           ${process.platform}/${process.arch}`,
  ];
}

function serverLines(server: Version): string[] {
  return server.Components.flatMap(({ Name, Version, Details }) => [
    ` ${Name}:`,
    `  Version:          ${Version}`,
    ...(Details.ApiVersion
      ? [`  API version:      ${Details.ApiVersion} (minimum version ${Details.MinAPIVersion})`]
      : []),
    ...(Details.Os ? [`  OS/Arch:          ${Details.Os}/${Details.Arch}`] : []),
    ...(Details.KernelVersion ? [`  Kernel version:   ${Details.KernelVersion}`] : []),
    ...(Details.GitCommit ? [`  GitCommit:        ${Details.GitCommit}`] : []),
  ]);
}
