import type { ChainID, DiffID, ImageID } from "../../../spec/index.js";
import type { NameProof } from "../../check/known/name-proofs.js";
import type { RootState } from "../../root/root-state.js";

/** Where the bytes may be had that a data root has lost. Nothing it gives is believed before it is hashed. */
export interface Source extends AsyncDisposable {
  /** How lines name it: `archive x.tar`. */
  readonly name: string;
  /**
   * All that may be this layer's tar, the likeliest first; nothing is read of it before it is opened.
   *
   * @throws why the source cannot be asked
   */
  layers(wanted: WantedLayer): AsyncIterable<Offer>;
  /** All that may be this image's config, whole. @throws as `layers` */
  images(id: ImageID, state: RootState): AsyncIterable<Uint8Array>;
  /**
   * What it calls images, of which the root may have some; absent: it names none.
   *
   * @param nameless images of the root that nobody before has named: what is asked for others takes time for nothing
   * @throws as `layers`
   */
  names?(state: RootState, nameless: readonly ImageID[], signal?: AbortSignal): AsyncIterable<NameProof>;
}

export interface WantedLayer {
  readonly chainID: ChainID;
  readonly diffID: DiffID;
  /** The root that misses it, as it is now. */
  readonly state: RootState;
}

/** What may be a layer's tar, plain or compressed. */
export interface Offer {
  /** How lines name it: `127.0.0.1:5000/app@sha256:…`. */
  readonly from: string;
  /** Bytes, where that is known beforehand. */
  readonly size?: number;
  open(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}
