import { NotImplemented } from "../../spec/index.js";
export function readLog(_path: string, _options: object): AsyncIterable<Uint8Array> {
  throw new NotImplemented("logs");
}
