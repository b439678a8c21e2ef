import { Command } from "commander";
import type { Info } from "../../engine/index.js";
import { goJSON } from "../../spec/index.js";
import { binarySize } from "../format/size.js";
import { type Format, formatOption, print } from "../print.js";
import { talking } from "../session.js";

export function infoCommand(): Command {
  return new Command("info")
    .description("show what the daemon is and how it stores")
    .addOption(formatOption("-f, --format <form>"))
    .action(
      talking<{ format?: Format }>(async ({ client, options }) => {
        const info = await client.get<Info>("/info");
        if (options.format === "json") return await print(goJSON(info));
        await print(...lines(info));
        for (const warning of info.Warnings ?? []) process.stderr.write(`${warning}\n`);
      }),
    );
}

function lines(info: Info): string[] {
  return [
    `Containers: ${info.Containers}`,
    ` Running: ${info.ContainersRunning}`,
    ` Paused: ${info.ContainersPaused}`,
    ` Stopped: ${info.ContainersStopped}`,
    `Images: ${info.Images}`,
    `Server Version: ${info.ServerVersion}`,
    `Storage Driver: ${info.Driver}`,
    ...info.DriverStatus.map(([key, value]) => ` ${key}: ${value}`),
    ...plain.flatMap(([label, key]) => (info[key] ? [`${label}: ${info[key]}`] : [])),
    `CPUs: ${info.NCPU}`,
    `Total Memory: ${binarySize(Number(info.MemTotal))}`,
    `Name: ${info.Name}`,
    `ID: ${info.ID}`,
    `Docker Root Dir: ${info.DockerRootDir}`,
    `Debug Mode: ${info.Debug ?? false}`,
  ];
}

const plain = [
  ["Kernel Version", "KernelVersion"],
  ["Operating System", "OperatingSystem"],
  ["OSType", "OSType"],
  ["Architecture", "Architecture"],
] as const;
