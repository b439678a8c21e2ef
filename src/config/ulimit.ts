import type { Ulimit } from "../spec/index.js";
import { type Kind, map, text, whole } from "./kinds.js";
import type { Located } from "./located.js";

/** A limit of processes, as `default-ulimits` has it under its name. */
export const ulimit: Kind<Ulimit> = (node, name) => {
  const { Name, Hard, Soft } = map<Located>((value) => value)(node, name);
  const soft = Soft === undefined ? 0 : whole(Soft, `${name}.Soft`);
  return {
    Name: Name ? text(Name, `${name}.Name`) : (name.split(".").at(-1) ?? ""),
    Hard: Hard === undefined ? soft : whole(Hard, `${name}.Hard`),
    Soft: soft,
  };
};
