import { join } from "node:path";
import {
  addressOfDevice,
  addressText,
  type Bridge,
  type BridgeMember,
  freeSubnet,
  gatewayOf,
  hardwareAddress,
  joinBridge,
  leaveBridge,
  NetworkNamespaces,
  type PublishedPort,
  parseAddress,
  removeNamespace,
} from "../../runtime/index.js";
import { Conflict, messageOf, randomID, Unavailable } from "../../spec/index.js";
import type { EndpointSettings, PortMap } from "../api-container.js";
import type { Container, ContainerStore } from "../container/container-store.js";
import type { StoredContainer, StoredNetworks } from "../container/stored.js";
import { anywhere, Claims } from "./claims.js";
import { bridgeDevice, type NetworkSettings, parseBip } from "./network-settings.js";
import { PlaceNotes } from "./place-notes.js";
import { portMap, publishedPorts, wantedPorts } from "./ports.js";

export interface ContainerNetworkOptions {
  readonly settings: NetworkSettings;
  /** Absolute path of the directory in which namespaces are kept: of this boot, not of the data root. */
  readonly directory: string;
  readonly store: Pick<ContainerStore, "list">;
  /** Of the network `bridge`. */
  readonly networkID: string;
}

/** A container's place in the default network. */
export interface NetworkPlace {
  /** Path of the namespace that its process joins. */
  readonly namespace: string;
  /** For its `config.v2.json`. */
  readonly settings: StoredNetworks;
}

/**
 * The default network: a bridge with addresses and published ports. Which are taken is known from the containers that
 * run. A place is noted before it is made, for who comes after a crash: the container's own file tells of it only when
 * its process has been started.
 */
export class ContainerNetwork implements AsyncDisposable {
  readonly #options: ContainerNetworkOptions;
  readonly #namespaces = new NetworkNamespaces();
  /** Of containers that are being connected or are. */
  readonly #claims = new Claims();
  readonly #notes: PlaceNotes;
  #bridge: Bridge | undefined;

  constructor(options: ContainerNetworkOptions) {
    this.#options = options;
    this.#notes = new PlaceNotes(options.directory);
    for (const { stored } of options.store.list()) {
      if (stored.State.Running) this.#claim(stored.ID, stored.NetworkSettings);
    }
  }

  /** Whether a container of this network mode gets a place; others have none, the host's or that of a container. */
  serves(mode: string | undefined): boolean {
    return bridgeDevice(this.#options.settings) !== undefined && ["", "default", "bridge"].includes(mode ?? "");
  }

  /**
   * Connects a container that is about to start, all or nothing.
   *
   * @throws Unavailable: the system lacks what is needed, or it failed; Conflict: a port is taken, in Docker's words
   */
  async connect({ stored, host }: Container): Promise<NetworkPlace> {
    const { ID: id, Config: config } = stored;
    const bridge = this.#bridgeOf();
    const address = this.#claims.address(id, bridge.subnet, gatewayOf(bridge));
    const namespace = this.#namespaceOf(id);
    const endpoint = randomID();
    try {
      const wishes = wantedPorts(config, host, this.#options.settings.ip ?? anywhere);
      if (wishes.length > 0 && this.#options.settings.rules === false) throw new Unavailable(noRules);
      const ports = await this.#claims.ports(id, wishes);
      const mac = config.MacAddress || hardwareAddress(address);
      const member = { id, namespace, interface: "eth0", address, hardwareAddress: mac, ports };
      const settings = this.#settings(stored, bridge, endpoint, member);
      await this.#notes.write(id, settings);
      await this.#namespaces.make(namespace);
      await joinBridge(bridge, member);
      return { namespace, settings };
    } catch (error) {
      await removeNamespace(namespace);
      await this.#notes.remove(id);
      this.#claims.free(id);
      if (!(error instanceof Conflict)) throw error;
      const about = `driver failed programming external connectivity on endpoint ${stored.Name.slice(1)} (${endpoint})`;
      throw new Conflict(`${about}: ${error.message}`, { cause: error });
    }
  }

  /** Takes back the place of a container that has ended, whoever connected it. One without a place is no error. */
  disconnect({ stored }: Container): Promise<void> {
    return this.#takeBack(stored.ID, stored.NetworkSettings);
  }

  /** The place of a container that was started by an engine which a crash has ended before it could say so. */
  async restored(id: string): Promise<StoredNetworks | undefined> {
    const settings = await this.#notes.read(id);
    if (settings) this.#claim(id, settings);
    return settings;
  }

  #claim(id: string, settings: StoredNetworks): void {
    const address = addressOf(settings);
    if (address !== undefined) this.#claims.restore(id, { address, ports: portsOf(settings) });
  }

  /**
   * Takes back the places of starts that a crash has cut short.
   *
   * @param isOpen whether there is a process of a container, or its exit to be taken in
   * @param report told one line of each that cannot be
   */
  async sweep(isOpen: (id: string) => boolean, report: (line: string) => void): Promise<void> {
    for (const id of await this.#notes.list()) {
      const settings = isOpen(id) ? undefined : await this.#notes.read(id);
      if (!settings) continue;
      const failed = (error: unknown) => report(`container ${id}: its place on the bridge: ${messageOf(error)}`);
      await this.#takeBack(id, settings).catch(failed);
    }
  }

  async #takeBack(id: string, settings: StoredNetworks): Promise<void> {
    const address = addressOf(settings);
    this.#claims.free(id);
    if (address === undefined) return;
    const namespace = this.#namespaceOf(id);
    const place = { id, namespace, interface: "eth0", address, hardwareAddress: hardwareAddress(address) };
    try {
      await leaveBridge(this.#bridgeOf(), { ...place, ports: portsOf(settings) });
    } finally {
      await removeNamespace(namespace);
    }
    await this.#notes.remove(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#namespaces[Symbol.asyncDispose]();
  }

  #namespaceOf(id: string): string {
    return join(this.#options.directory, id);
  }

  /** Chosen when first needed: as it was set, else as the interface is, else a subnet that is free. */
  #bridgeOf(): Bridge {
    if (this.#bridge) return this.#bridge;
    const { settings } = this.#options;
    const device = bridgeDevice(settings) ?? "none";
    const set = settings.bip === undefined ? undefined : parseBip(settings.bip);
    const { address, subnet } = set ?? addressOfDevice(device) ?? { subnet: freeSubnet() };
    const { mtu, masquerade = true } = settings;
    const more = { ...(address !== undefined && { gateway: address }), ...(mtu && { mtu }) };
    this.#bridge = { network: "bridge", device, subnet, masquerade, ...more };
    return this.#bridge;
  }

  #settings(stored: StoredContainer, bridge: Bridge, EndpointID: string, member: BridgeMember): StoredNetworks {
    const { default: asDefault, bridge: asBridge, ...others } = stored.NetworkSettings.Networks ?? {};
    const endpoint: EndpointSettings = {
      ...(asBridge ?? asDefault),
      NetworkID: this.#options.networkID,
      EndpointID,
      Gateway: addressText(gatewayOf(bridge)),
      IPAddress: addressText(member.address),
      IPPrefixLen: bridge.subnet.prefix,
      MacAddress: member.hardwareAddress,
    };
    return {
      ...stored.NetworkSettings,
      SandboxID: randomID(),
      SandboxKey: member.namespace,
      Ports: portMap(stored.Config, member.ports),
      Networks: { ...others, bridge: endpoint },
    };
  }
}

/** The settings of a container whose place was taken back: what was asked for stays. */
export function withoutPlace(settings: StoredNetworks): StoredNetworks {
  const { bridge, ...others } = settings.Networks ?? {};
  const gone = { EndpointID: "", Gateway: "", IPAddress: "", IPPrefixLen: 0, MacAddress: "" };
  const Networks = { ...others, ...(bridge && { bridge: { ...bridge, ...gone } }) };
  return { ...settings, SandboxID: "", SandboxKey: "", Ports: null, Networks };
}

const noRules = "ports cannot be published without iptables: take it out of daemon.json, or publish none";

/** The address of a container's endpoint, when it has one. */
function addressOf({ Networks }: StoredNetworks): number | undefined {
  const text = Networks?.bridge?.IPAddress;
  return text ? parseAddress(text) : undefined;
}

function portsOf({ Ports }: StoredNetworks): readonly PublishedPort[] {
  return publishedPorts((Ports ?? {}) as PortMap);
}
