/** Bytes on their way to another thread, which tells how many it has used up. */
export type FeedMessage = { readonly bytes: Uint8Array<ArrayBuffer> } | { readonly end: true };

/** What the reading end says: so many bytes more are used up, and `block`, where they were, can be filled again. */
export interface Used {
  readonly used: number;
  readonly block?: ArrayBuffer;
}
