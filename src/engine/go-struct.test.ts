import { describe, expect, test } from "vitest";
import { goJSON, InvalidParameter, RawNumber } from "../spec/index.js";
import { fullHostConfig } from "./host-config.js";
import { fullRunConfig } from "./run-config.js";

test("keys count in any case, unknown ones do not, and null is the zero value", () => {
  const config = fullRunConfig({ image: "bb", CMD: ["true"], zz: 1, Env: null, labels: { B: "2", a: "1" } });
  expect(goJSON(config)).toBe(
    '{"Hostname":"","Domainname":"","User":"","AttachStdin":false,"AttachStdout":false,"AttachStderr":false,' +
      '"Tty":false,"OpenStdin":false,"StdinOnce":false,"Env":null,"Cmd":["true"],"Image":"bb","Volumes":null,' +
      '"WorkingDir":"","Entrypoint":null,"OnBuild":null,"Labels":{"B":"2","a":"1"}}',
  );
});

test("a plain text as Cmd or Entrypoint is one word", () => {
  expect(fullRunConfig({ Cmd: "echo hi", Entrypoint: "sh" })).toMatchObject({ Cmd: ["echo hi"], Entrypoint: ["sh"] });
});

test("a host config of nothing is what dockerd 20.10 writes for one", () => {
  expect(goJSON(fullHostConfig({}))).toBe(
    '{"Binds":null,"ContainerIDFile":"","LogConfig":{"Type":"","Config":null},"NetworkMode":"","PortBindings":null,' +
      '"RestartPolicy":{"Name":"","MaximumRetryCount":0},"AutoRemove":false,"VolumeDriver":"","VolumesFrom":null,' +
      '"CapAdd":null,"CapDrop":null,"CgroupnsMode":"","Dns":null,"DnsOptions":null,"DnsSearch":null,"ExtraHosts":null,' +
      '"GroupAdd":null,"IpcMode":"","Cgroup":"","Links":null,"OomScoreAdj":0,"PidMode":"","Privileged":false,' +
      '"PublishAllPorts":false,"ReadonlyRootfs":false,"SecurityOpt":null,"UTSMode":"","UsernsMode":"","ShmSize":0,' +
      '"ConsoleSize":[0,0],"Isolation":"","CpuShares":0,"Memory":0,"NanoCpus":0,"CgroupParent":"","BlkioWeight":0,' +
      '"BlkioWeightDevice":null,"BlkioDeviceReadBps":null,"BlkioDeviceWriteBps":null,"BlkioDeviceReadIOps":null,' +
      '"BlkioDeviceWriteIOps":null,"CpuPeriod":0,"CpuQuota":0,"CpuRealtimePeriod":0,"CpuRealtimeRuntime":0,' +
      '"CpusetCpus":"","CpusetMems":"","Devices":null,"DeviceCgroupRules":null,"DeviceRequests":null,"KernelMemory":0,' +
      '"KernelMemoryTCP":0,"MemoryReservation":0,"MemorySwap":0,"MemorySwappiness":null,"OomKillDisable":null,' +
      '"PidsLimit":null,"Ulimits":null,"CpuCount":0,"CpuPercent":0,"IOMaximumIOps":0,"IOMaximumBandwidth":0,' +
      '"MaskedPaths":null,"ReadonlyPaths":null}',
  );
});

test("integers beyond 2^53 stay as they are", () => {
  const { Memory } = fullHostConfig({ Memory: new RawNumber("9223372036854775807") });
  expect(goJSON(Memory)).toBe("9223372036854775807");
});

describe("values of another kind are refused, with the field's name", () => {
  const cases: [config: object, message: string][] = [
    [{ Image: 1 }, "cannot unmarshal number into Go struct field Config.Image of type string"],
    [{ Env: "A=1" }, "cannot unmarshal string into Go struct field Config.Env of type []"],
    [{ Env: [1] }, "cannot unmarshal number into Go struct field Config.Env of type string"],
    [{ Labels: { a: [] } }, "cannot unmarshal array into Go struct field Config.Labels.a of type string"],
    [{ Tty: "yes" }, "cannot unmarshal string into Go struct field Config.Tty of type bool"],
    [{ StopTimeout: 1.5 }, "cannot unmarshal number into Go struct field Config.StopTimeout of type int64"],
    [{ Healthcheck: [] }, "cannot unmarshal array into Go struct field Config.Healthcheck of type struct"],
  ];
  test.for(cases)("%j", ([config, message]) => {
    expect(() => fullRunConfig(config)).toThrow(InvalidParameter);
    expect(() => fullRunConfig(config)).toThrow(message);
  });
});

test("a key that is JavaScript's own is a key like any other", () => {
  const { Labels } = fullRunConfig(JSON.parse('{"Labels":{"__proto__":"x","constructor":"y"}}'));
  expect(Object.entries(Labels ?? {})).toEqual([
    ["__proto__", "x"],
    ["constructor", "y"],
  ]);
});
