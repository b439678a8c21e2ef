import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { expect } from "vitest";
import { Dockerd } from "../../../test/oracle/dockerd.js";
import { dockerArchive, type Sample } from "../../../test/oracle/image-archives.js";
import { freshStores, inPieces } from "../../../test/oracle/image-stores.js";
import { LayerkitError, messageOf } from "../../spec/index.js";
import type { Filters } from "../api-system.js";
import { ImageOperations } from "./operations.js";

/** An answer: what came, or which error. */
export interface Answer {
  readonly ok?: unknown;
  readonly status?: number;
  readonly message?: string;
}

/** The same requests to a real dockerd and to us, over images that both loaded from one archive. */
export class BesideDockerd implements AsyncDisposable {
  readonly #dockerd: Dockerd;
  readonly #stores: Awaited<ReturnType<typeof freshStores>>;
  readonly #ours: ImageOperations;
  readonly #root: string;
  /** Containers dockerd has, which we are told of. */
  readonly #users: { image: string; id: string }[] = [];
  readonly events: string[] = [];

  private constructor(root: string, dockerd: Dockerd, stores: Awaited<ReturnType<typeof freshStores>>) {
    this.#root = root;
    this.#dockerd = dockerd;
    this.#stores = stores;
    const { images, references, layers, distribution, registries, pulls, pushes, tmp } = stores;
    this.#ours = new ImageOperations({
      ...{ images, references, layers, distribution, registries, pulls, pushes, tmp, driver: "overlay2" },
      usersOf: (id) => this.#users.filter((user) => user.image === id).map((user) => ({ id: user.id, running: false })),
      emit: (action, id) => this.events.push(`${action} ${id}`),
    });
  }

  static async start(samples: readonly Sample[]): Promise<BesideDockerd> {
    const root = await mkdtemp("/dev/shm/image-operations-");
    const both = new BesideDockerd(root, await Dockerd.start(join(root, "docker")), await freshStores("overlay2"));
    const archive = dockerArchive(samples);
    await writeFile(join(root, "in.tar"), archive);
    await both.#dockerd.docker("load", "-i", join(root, "in.tar"));
    for await (const _ of both.#ours.load(inPieces(archive, 100_000)));
    return both;
  }

  async list(filters: Filters = {}, all = false): Promise<[Answer, Answer]> {
    const query = new URLSearchParams({ filters: JSON.stringify(filters), ...(all && { all: "1" }) });
    const theirs = await this.#api("GET", `/images/json?${query}`);
    const ours = await answer(this.#ours.list({ filters, all }));
    return [
      { ...ours, ok: shown(ours.ok) },
      { ...theirs, ok: shown(theirs.ok) },
    ];
  }

  async inspect(name: string): Promise<[Answer, Answer]> {
    const [ours, theirs] = [await answer(this.#ours.inspect(name)), await this.#api("GET", `/images/${name}/json`)];
    return [
      { ...ours, ok: comparable(ours.ok) },
      { ...theirs, ok: comparable(theirs.ok) },
    ];
  }

  async history(name: string): Promise<[Answer, Answer]> {
    return [await answer(this.#ours.history(name)), await this.#api("GET", `/images/${name}/history`)];
  }

  async tag(name: string, repo: string, tag: string): Promise<[Answer, Answer]> {
    const query = new URLSearchParams({ repo, tag });
    return [await answer(this.#ours.tag(name, repo, tag)), await this.#api("POST", `/images/${name}/tag?${query}`)];
  }

  async remove(name: string, options: { force?: boolean; noprune?: boolean } = {}): Promise<[Answer, Answer]> {
    const flags = Object.keys(options).map((key) => `${key}=1`);
    const theirs = await this.#api("DELETE", `/images/${name}?${flags.join("&")}`);
    return [await answer(this.#ours.remove(name, options)), theirs];
  }

  async prune(filters: Filters): Promise<[Answer, Answer]> {
    const query = new URLSearchParams({ filters: JSON.stringify(filters) });
    const theirs = await this.#api("POST", `/images/prune?${query}`);
    const pruned = theirs.ok as { ImagesDeleted: object[] | null } | undefined;
    if (pruned) pruned.ImagesDeleted ??= [];
    return [await answer(this.#ours.prune({ filters })), theirs];
  }

  /** A container of an image, which never runs. */
  async container(name: string): Promise<string> {
    const id = await this.#dockerd.docker("create", "--network", "none", name, "true");
    this.#users.push({ image: (await this.#ours.inspect(name)).Id, id });
    return id;
  }

  async #api(method: string, path: string): Promise<Answer> {
    const { status, body } = await call(this.#dockerd.socket, method, `/v1.41${path}`);
    const value = body === "" ? undefined : JSON.parse(body);
    return status < 400 ? { ok: value } : { status, message: value.message };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dockerd[Symbol.asyncDispose]();
    expect(await this.#stores.left()).toEqual([]);
    await this.#stores[Symbol.asyncDispose]();
    await rm(this.#root, { recursive: true, force: true });
  }
}

function call(socketPath: string, method: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    sent.on("error", reject).end();
  });
}

const statuses: Readonly<Record<string, number>> = { "not-found": 404, conflict: 409, "invalid-parameter": 400 };

async function answer(value: Promise<unknown>): Promise<Answer> {
  try {
    return { ok: JSON.parse(JSON.stringify((await value) ?? null)) ?? undefined };
  } catch (error) {
    return { status: error instanceof LayerkitError ? (statuses[error.code] ?? 500) : 500, message: messageOf(error) };
  }
}

/** A list without what 20.10 shows for images without a name. */
function shown(list: unknown): unknown {
  if (!Array.isArray(list)) return list;
  return list.map((item) => ({
    ...item,
    RepoTags: (item.RepoTags ?? []).filter((name: string) => name !== "<none>:<none>"),
    RepoDigests: (item.RepoDigests ?? []).filter((name: string) => name !== "<none>@<none>"),
  }));
}

/** An inspection without what differs from root to root. */
function comparable(value: unknown): unknown {
  if (!value) return value;
  const { GraphDriver, Metadata, ...rest } = value as { GraphDriver: { Data: object; Name: string }; Metadata: object };
  return {
    ...rest,
    GraphDriver: { Name: GraphDriver.Name, Data: Object.keys(GraphDriver.Data).sort() },
    Metadata: Object.keys(Metadata),
  };
}
