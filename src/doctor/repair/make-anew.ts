import { existsSync } from "node:fs";
import { parseSplit, rebuildBare } from "../../layer/index.js";
import { isErrno, messageOf, NotFound, Unavailable } from "../../spec/index.js";
import { counted, layerText } from "../progress.js";
import { oldForms } from "./old-forms.js";
import type { Patient } from "./patient.js";
import type { Restoring } from "./restoring.js";
import { contentOf } from "./sources/root-source.js";
import type { Source } from "./sources/source.js";
import type { FreshLayer, Staging } from "./staging.js";

/** A layer that was made anew, and out of what. */
export interface Made {
  readonly fresh: FreshLayer;
  readonly from: string;
}

/** Whether a tar-split tells what the archive consists of: then it is the files that are not right. */
async function isReadable(split: string): Promise<boolean> {
  return await parseSplit(split, () => {}).then(
    () => true,
    () => false,
  );
}

/** @throws NotFound: none of the sources has it, with the reasons; Unavailable: the disk is full */
export async function makeAnew(restoring: Restoring, patient: Patient): Promise<Made> {
  const staging = await restoring.staging();
  const { state, sources, onProgress, signal } = restoring;
  const { chainID, diffID, id, below, ids } = patient;
  const failures: string[] = [];
  const tried = async (from: string, content: Parameters<Staging["make"]>[2]): Promise<Made | undefined> => {
    try {
      return { fresh: await staging.make(state, { id, below, diffID, ids }, content, signal), from };
    } catch (error) {
      signal?.throwIfAborted();
      if (isFull(error)) throw new Unavailable(`there is no room to make layer ${diffID} anew`, { cause: error });
      failures.push(`${from}: ${messageOf(error)}`);
      return undefined;
    }
  };
  const { content, split } = patient;
  if (content !== undefined && existsSync(split)) {
    const own = await tried("its own files", {
      tar: read("its own files", rebuildBare({ root: content, split, diffID }, { signal })),
    });
    if (own) return own;
  }
  for (const source of sources) {
    const found = await fromSource(source);
    if (found) return found;
  }
  const packed = content === undefined || (await isReadable(split)) ? undefined : await packedAgain(content);
  if (packed) return packed;
  const why = failures.length > 0 ? `: ${[...new Set(failures)].join("; ")}` : "";
  throw new NotFound(`nobody has the bytes of layer ${diffID}${why}`);

  function read(from: string, tar: AsyncIterable<Uint8Array>, size?: number): AsyncIterable<Uint8Array> {
    const layer = layerText(chainID);
    onProgress({ id: layer, status: `reading ${from}` });
    return counted(tar, size, (progressDetail) => onProgress({ id: layer, status: "Restoring", progressDetail }));
  }

  async function fromSource(source: Source): Promise<Made | undefined> {
    try {
      for await (const offer of source.layers({ chainID: patient.chainID, diffID, state })) {
        const found = await tried(offer.from, { tar: read(offer.from, offer.open(signal), offer.size) });
        if (found) return found;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof Unavailable && isFull(error.cause)) throw error;
      failures.push(`${source.name}: ${messageOf(error)}`);
    }
    return undefined;
  }

  /** Where its tar-split alone is lost, its files may pack to the same tar once more. */
  async function packedAgain(root: string): Promise<Made | undefined> {
    const lower = patient.parent && contentOf(state, patient.parent);
    const source =
      state.driver === "overlay2"
        ? ({ kind: "upper", root, xattrPrefix: "trusted.overlay." } as const)
        : ({ kind: "trees", upper: root, ...(lower !== undefined && { lower }) } as const);
    for (const form of [undefined, ...(await oldForms(source))]) {
      const found = await tried("its own files, packed again", { source, form });
      if (found) return found;
    }
    return undefined;
  }
}

/** From another thread the message is all that is left of it. */
function isFull(error: unknown): boolean {
  return isErrno(error, "ENOSPC") || /no space left on/.test(messageOf(error));
}
