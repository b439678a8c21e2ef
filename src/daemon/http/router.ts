import { InvalidParameter, NotFound } from "../../spec/index.js";

/**
 * Method and path of an endpoint. `{id}` stands for one path element; `{name*}` for one or more, as many as the rest
 * of the pattern leaves it: image names hold slashes, `GET /images/{name*}/json`.
 */
export type Pattern = `${"GET" | "HEAD" | "POST" | "PUT" | "DELETE"} /${string}`;

export type Params = Readonly<Record<string, string>>;

/** Finds what serves a request. The first pattern that matches wins: fixed words stand before names. */
export class Router<Handler> {
  #routes: { method: string; path: RegExp; handler: Handler }[] = [];

  add(pattern: Pattern, handler: Handler): void {
    const [method = "", path = ""] = pattern.split(" ");
    this.#routes.push({ method, path: compile(path), handler });
  }

  /** @throws NotFound: no such path, or not with this method; InvalidParameter: broken percent signs */
  find(method: string, path: string): { handler: Handler; params: Params } {
    for (const route of this.#routes) {
      const match = route.method === method ? route.path.exec(path) : null;
      if (match) return { handler: route.handler, params: decoded(match.groups ?? {}) };
    }
    throw new NotFound("page not found");
  }
}

function compile(path: string): RegExp {
  const source = path
    .replace(/[.]/g, "\\$&")
    .replace(/\{(\w+)(\*?)\}/g, (_, name, greedy) => `(?<${name}>${greedy ? ".+" : "[^/]+"})`);
  return new RegExp(`^${source}$`);
}

function decoded(groups: Record<string, string>): Params {
  try {
    return Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, decodeURIComponent(text)]));
  } catch {
    throw new InvalidParameter("invalid URL escape in the path");
  }
}
