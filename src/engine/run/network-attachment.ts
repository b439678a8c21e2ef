import { randomID } from "../../spec/index.js";
import type { EndpointSettings } from "../api-container.js";
import type { Container, ContainerStore } from "../container/container-store.js";
import { endpointSettings, type StoredContainer, type StoredNetworks } from "../container/stored.js";
import type { Events } from "../events.js";
import { type ContainerNetwork, withoutPlace } from "../network/container-network.js";
import type { Networks } from "../networks.js";
import type { NetworkFacts } from "./network-files.js";
import { namespaceOf } from "./shared-namespaces.js";

/** A container's place in its networks, for one run. */
export interface Attachment {
  /** Namespace to join; without one the runtime makes what the network mode says. */
  readonly namespace?: string;
  /** What the container's file says of it. */
  readonly settings: StoredNetworks;
  readonly facts: NetworkFacts;
}

export interface AttachmentParts {
  /** The default network, where there is one: without it, containers that ask for it are alone with a loopback interface. */
  readonly bridge: ContainerNetwork;
  readonly networks: Networks;
  readonly events: Events;
  readonly store: ContainerStore;
}

/** What containers are attached to before their processes start, and detached from when those have ended. */
export class Attachments {
  readonly #parts: AttachmentParts;

  constructor(parts: AttachmentParts) {
    this.#parts = parts;
  }

  /** @throws NotFound "network NAME not found"; Conflict: the container whose network it shares does not run */
  async attach(container: Container): Promise<Attachment> {
    const { stored, host } = container;
    const { NetworkMode: mode = "" } = host;
    const { bridge, store } = this.#parts;
    const facts = { host: mode === "host", names: [] };
    const other = /^container:(.*)$/s.exec(mode)?.[1];
    if (other !== undefined) {
      return { namespace: namespaceOf(store, other, "net"), settings: stored.NetworkSettings, facts };
    }
    const attachment = bridge.serves(mode) ? await this.#bridged(container) : { settings: this.#plain(stored), facts };
    for (const name of attachedTo(attachment.settings)) this.#tell("connect", stored.ID, name);
    return attachment;
  }

  async #bridged(container: Container): Promise<Attachment> {
    const { namespace, settings } = await this.#parts.bridge.connect(container);
    const { Hostname = "", Domainname } = container.stored.Config;
    const address = settings.Networks?.bridge?.IPAddress ?? "";
    const names = Domainname ? `${Hostname}.${Domainname} ${Hostname}` : Hostname;
    return { namespace, settings, facts: { host: false, names: [[address, names]] } };
  }

  #plain({ NetworkSettings: settings }: StoredContainer): StoredNetworks {
    const asked = Object.entries(settings.Networks ?? {});
    const networks = asked.map(([name, endpoint]) => [name, this.#attachTo(name, endpoint)] as const);
    const place = { SandboxID: randomID(), Networks: Object.fromEntries(networks) };
    const isAttached = networks.some(([, { EndpointID }]) => EndpointID);
    return { ...settings, ...place, ...(isAttached && { Ports: {} }) };
  }

  /** @see ContainerNetwork.restored */
  restored(id: string): Promise<StoredNetworks | undefined> {
    return this.#parts.bridge.restored(id);
  }

  /** @see ContainerNetwork.sweep */
  sweep(...args: Parameters<ContainerNetwork["sweep"]>): Promise<void> {
    return this.#parts.bridge.sweep(...args);
  }

  /** @returns what the container's file says from then on */
  async detach(container: Container): Promise<StoredNetworks> {
    const { ID, NetworkSettings: settings } = container.stored;
    const attached = attachedTo(settings);
    if (settings.Networks?.bridge?.IPAddress) await this.#parts.bridge.disconnect(container);
    for (const name of attached) this.#tell("disconnect", ID, name);
    if (settings.Networks?.bridge?.IPAddress) return withoutPlace(settings);
    const left = Object.entries(settings.Networks ?? {}).map(([name, endpoint]) => [
      name,
      { ...endpoint, EndpointID: "" },
    ]);
    return { ...settings, Networks: Object.fromEntries(left), ...(attached.length > 0 && { Ports: null }) };
  }

  #attachTo(name: string, endpoint: EndpointSettings): EndpointSettings {
    const { Id, Driver } = this.#parts.networks.inspect(name);
    const stored = { ...endpointSettings(endpoint), IPAMOperational: false };
    return Driver === "bridge" ? stored : { ...stored, NetworkID: Id, EndpointID: randomID() };
  }

  #tell(action: "connect" | "disconnect", container: string, name: string): void {
    const { Id, Driver: type } = this.#parts.networks.inspect(name);
    this.#parts.events.emit("network", action, Id, { container, name, type });
  }
}

function attachedTo({ Networks }: StoredNetworks): string[] {
  const endpoints = Object.entries(Networks ?? {});
  return endpoints.filter(([, { EndpointID }]) => EndpointID).map(([name]) => name);
}
