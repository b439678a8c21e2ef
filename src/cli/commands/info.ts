import { Command } from "commander";
import type { Info } from "../../engine/index.js";
import { goJSON } from "../../spec/index.js";
import { binarySize } from "../format/size.js";
import { type Format, formatOption, print } from "../print.js";
import { alone, talking } from "../session.js";

export function infoCommand(): Command {
  return new Command("info")
    .description("show what the daemon is and how it stores")
    .addOption(formatOption("-f, --format <form>"))
    .option(
      "--check [dir]",
      "show what storage drivers need, and find there (default: the data root); no daemon is asked",
    )
    .action(function (this: Command) {
      return (this.opts<Flags>().check === undefined ? shown : checked).call(this);
    });
}

interface Flags {
  readonly format?: Format;
  readonly check?: string | true;
}

const shown = talking<Flags>(async ({ client, options }) => {
  const info = await client.get<Info>("/info");
  if (options.format === "json") return await print(goJSON(info));
  await print(...lines(info));
  for (const warning of info.Warnings ?? []) process.stderr.write(`${warning}\n`);
});

const checked = alone<Flags>(async ({ settings, options: { check, format } }) => {
  const { checkPlace } = await import("../check-place.js");
  await checkPlace(typeof check === "string" ? check : settings.root, settings, format);
});

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
    ...registryLines(info),
  ];
}

interface RegistryConfig {
  readonly InsecureRegistryCIDRs?: readonly string[];
  readonly IndexConfigs?: Readonly<Record<string, { readonly Secure: boolean }>>;
  readonly Mirrors?: readonly string[];
}

function registryLines(info: Info): string[] {
  const { IndexConfigs = {}, InsecureRegistryCIDRs = [], Mirrors = [] } = (info.RegistryConfig ?? {}) as RegistryConfig;
  const hosts = Object.entries(IndexConfigs).filter(([, { Secure }]) => !Secure);
  const insecure = [...hosts.map(([name]) => name).sort(), ...InsecureRegistryCIDRs];
  return [
    ...(insecure.length > 0 ? ["Insecure Registries:", ...insecure.map((name) => ` ${name}`)] : []),
    ...(Mirrors.length > 0 ? ["Registry Mirrors:", ...Mirrors.map((url) => ` ${url}`)] : []),
  ];
}

const plain = [
  ["Kernel Version", "KernelVersion"],
  ["Operating System", "OperatingSystem"],
  ["OSType", "OSType"],
  ["Architecture", "Architecture"],
] as const;
