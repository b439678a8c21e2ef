const searched = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * The environment of a process: what Docker sets, and over it the container's own. `NAME=value` replaces or adds, `NAME`
 * alone takes away. HOME is left to the runtime, which sets it from the container's passwd when it is not here.
 */
export function environmentOf(hostname: string, tty: boolean, ...over: readonly (readonly string[])[]): string[] {
  const base = [`PATH=${searched}`, `HOSTNAME=${hostname}`, ...(tty ? ["TERM=xterm"] : [])];
  return over.reduce(withVariables, base);
}

function withVariables(base: string[], over: readonly string[]): string[] {
  const variables: (string | undefined)[] = [...base];
  const places = new Map(base.map((variable, i) => [nameOf(variable), i]));
  for (const variable of over) {
    const place = places.get(nameOf(variable));
    if (!variable.includes("=")) {
      if (place !== undefined) variables[place] = undefined;
    } else if (place === undefined) variables.push(variable);
    else variables[place] = variable;
  }
  return variables.filter((variable) => variable !== undefined);
}

function nameOf(variable: string): string {
  return variable.split("=", 1)[0] ?? "";
}
