/** What migrate threads do. Plain data: it is sent to them. */
import type { DiffSource } from "../driver/index.js";

export type Job = CarryJob | CompareJob;

/** Makes a writable layer, or an init layer, like one of another driver. */
export interface CarryJob {
  readonly kind: "carry";
  readonly from: From;
  readonly to: To;
  /** Upper directory of the init layer that only the one or the other driver has below a container's own. */
  readonly init?: string;
  /** A directory to work in; what is made there is gone at the end. */
  readonly scratch: string;
}

/** An upper directory of overlayfs that lies upon the init layer's or not, or a whole tree and what it changes. */
export type From =
  | { readonly upper: string; readonly holdsInit: boolean }
  | { readonly tree: string; readonly changes: DiffSource };

export type To = { readonly upper: string; readonly holdsInit: boolean } | { readonly tree: string };

/** Compares two trees: answers with the first difference. */
export interface CompareJob {
  readonly kind: "compare";
  readonly a: string;
  readonly b: string;
  /** As a copy, which is to have everything. */
  readonly exact?: boolean;
  /** Upper directories: only where one of them has a directory can there be a difference. */
  readonly uppers?: readonly string[];
}
