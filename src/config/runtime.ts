import { type Kind, list, map, text } from "./kinds.js";
import type { Located } from "./located.js";

/** An OCI runtime, as a container may name it. */
export interface Runtime {
  /** A program on PATH, or its absolute path. */
  readonly path: string;
  readonly runtimeArgs?: readonly string[];
}

/** Fields of later Docker versions (`runtimeType`, `options`) are passed over. */
export const runtime: Kind<Runtime> = (node, name) => {
  const { path, runtimeArgs } = map<Located>((value) => value)(node, name);
  return {
    path: path ? text(path, `${name}.path`) : "",
    ...(runtimeArgs && { runtimeArgs: list(text)(runtimeArgs, `${name}.runtimeArgs`) }),
  };
};
