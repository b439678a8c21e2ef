import { InvalidParameter, type Path } from "../../spec/index.js";
import { quoted } from "../quoted.js";
import type { Hiding } from "./hiding.js";

/** For copying into a tree that is no layer. */
export class HideNothing implements Hiding {
  wrote(): void {}

  owns(): boolean {
    return false;
  }

  givesWay(): boolean {
    return false;
  }

  whiteout(_dir: number, _name: string, path: Path): void {
    throw new InvalidParameter(`${quoted(path)}: a whiteout, which only a layer can have`);
  }

  opaque(_directory: number, path: Path): void {
    throw new InvalidParameter(`${quoted(path)}: marked opaque, which only a layer's directory can be`);
  }
}
