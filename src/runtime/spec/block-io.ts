import { stat } from "node:fs/promises";
import { type DeviceRate, type HostConfig, messageOf } from "../../spec/index.js";
import { RuntimeFailure } from "../failure.js";
import { majorOf, minorOf } from "./device-number.js";
import type { OCIBlockIO, OCIThrottle } from "./oci.js";

/** Weights and limits of disks. @throws RuntimeFailure: a device that is not there */
export async function blockIO(host: HostConfig): Promise<OCIBlockIO> {
  const weights = (host.BlkioWeightDevice ?? []).map(async ({ Path, Weight }) => ({
    ...(await numberOf(Path)),
    weight: Weight,
  }));
  const [weightDevice, readBps, writeBps, readIOPS, writeIOPS] = await Promise.all([
    Promise.all(weights),
    throttles(host.BlkioDeviceReadBps),
    throttles(host.BlkioDeviceWriteBps),
    throttles(host.BlkioDeviceReadIOps),
    throttles(host.BlkioDeviceWriteIOps),
  ]);
  return {
    weight: host.BlkioWeight ?? 0,
    ...(weightDevice.length > 0 && { weightDevice }),
    ...(readBps.length > 0 && { throttleReadBpsDevice: readBps }),
    ...(writeBps.length > 0 && { throttleWriteBpsDevice: writeBps }),
    ...(readIOPS.length > 0 && { throttleReadIOPSDevice: readIOPS }),
    ...(writeIOPS.length > 0 && { throttleWriteIOPSDevice: writeIOPS }),
  };
}

function throttles(rates: readonly DeviceRate[] | null | undefined): Promise<OCIThrottle[]> {
  return Promise.all((rates ?? []).map(async ({ Path, Rate }) => ({ ...(await numberOf(Path)), rate: Rate })));
}

async function numberOf(path: string): Promise<{ major: number; minor: number }> {
  try {
    const { rdev } = await stat(path);
    return { major: majorOf(rdev), minor: minorOf(rdev) };
  } catch (error) {
    throw new RuntimeFailure(`cannot limit device ${path}: ${messageOf(error)}`, { cause: error });
  }
}
