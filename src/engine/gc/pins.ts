import { writeAtomic } from "../../disk/index.js";
import { pinFile, readPins } from "../../doctor/index.js";
import { type ImageStore, type ReferenceStore, resolveImage } from "../../image/index.js";
import { Forbidden, familiarString, LayerkitError, NotFound } from "../../spec/index.js";

/** Images that are to stay, whatever they take: neither `reclaim` nor the collector removes them. */
export interface Pins {
  /** Names and IDs, sorted. */
  list(): string[];
  /** Keeps what a name names, now and later; given by its ID, this very image. @throws NotFound: no such image */
  add(name: string): Promise<string>;
  /** @throws NotFound: it is not pinned */
  remove(name: string): Promise<string>;
}

export interface PinParts {
  readonly imageStore: ImageStore;
  readonly references: ReferenceStore;
  /** `image/DRIVER` under the data root. */
  readonly imageRoot: string;
  readonly writable: boolean;
}

export function pinOperations({ imageStore, references, imageRoot, writable }: PinParts): Pins {
  let turn: Promise<unknown> = Promise.resolve();
  const meant = (name: string) => {
    const { image, ref } = resolveImage(imageStore, references, name);
    return ref ? familiarString(ref) : image.id;
  };
  /** One change after the other. */
  const changed = (change: (pins: ReadonlySet<string>) => Iterable<string>) => {
    const done = turn.then(async () => {
      if (!writable) throw new Forbidden("the data root was opened to be read only");
      const pins = [...new Set(change(readPins(imageRoot)))].sort();
      await writeAtomic(pinFile(imageRoot), JSON.stringify(pins), { mode: 0o600 });
    });
    turn = done.catch(() => {});
    return done;
  };
  return {
    list: () => [...readPins(imageRoot)].sort(),
    add: async (name) => {
      const pin = meant(name);
      await changed((pins) => [...pins, pin]);
      return pin;
    },
    remove: async (name) => {
      let gone = name;
      await changed((pins) => {
        if (!pins.has(name)) gone = unlessUnknown(() => meant(name)) ?? name;
        if (!pins.has(gone)) throw new NotFound(`${name} is not pinned`);
        return [...pins].filter((pin) => pin !== gone);
      });
      return gone;
    },
  };
}

function unlessUnknown(find: () => string): string | undefined {
  try {
    return find();
  } catch (error) {
    if (error instanceof LayerkitError) return undefined;
    throw error;
  }
}
