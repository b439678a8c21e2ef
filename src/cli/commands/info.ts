import { Command } from "commander";
import type { Info } from "../../engine/index.js";
import { goJSON } from "../../spec/index.js";
import { binarySize } from "../format/size.js";
import { asJSON, print } from "../print.js";
import { talking } from "../session.js";

export function infoCommand(): Command {
  return new Command("info")
    .description("show what the daemon is and how it stores")
    .option("-f, --format <form>", "table or json")
    .action(
      talking<{ format?: string }>(async ({ client, options }) => {
        const json = asJSON(options.format);
        const info = await client.get<Info>("/info");
        if (json) return await print(goJSON(info));
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
