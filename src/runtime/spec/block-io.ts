import { statSync } from "node:fs";
import { type DeviceRate, type HostConfig, messageOf } from "../../spec/index.js";
import { RuntimeFailure } from "../failure.js";
import { majorOf, minorOf } from "./device-number.js";
import type { OCIBlockIO } from "./oci.js";

/** Weights and limits of disks. @throws RuntimeFailure: a device that is not there */
export function blockIO(host: HostConfig): OCIBlockIO {
  const weightDevice = (host.BlkioWeightDevice ?? []).map(({ Path, Weight }) => ({
    ...numberOf(Path),
    weight: Weight,
  }));
  return {
    weight: host.BlkioWeight ?? 0,
    ...(weightDevice.length > 0 && { weightDevice }),
    ...throttles("throttleReadBpsDevice", host.BlkioDeviceReadBps),
    ...throttles("throttleWriteBpsDevice", host.BlkioDeviceWriteBps),
    ...throttles("throttleReadIOPSDevice", host.BlkioDeviceReadIOps),
    ...throttles("throttleWriteIOPSDevice", host.BlkioDeviceWriteIOps),
  };
}

function throttles(key: keyof OCIBlockIO, rates: readonly DeviceRate[] | null | undefined): OCIBlockIO {
  return rates?.length ? { [key]: rates.map(({ Path, Rate }) => ({ ...numberOf(Path), rate: Rate })) } : {};
}

function numberOf(path: string): { major: number; minor: number } {
  try {
    const { rdev } = statSync(path);
    return { major: majorOf(rdev), minor: minorOf(rdev) };
  } catch (error) {
    throw new RuntimeFailure(`cannot limit device ${path}: ${messageOf(error)}`, { cause: error });
  }
}
