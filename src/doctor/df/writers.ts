import { mountNamespaces } from "../root/mount-namespaces.js";
import { dockerdOn, ownerOf } from "../root/owner.js";

/** As daemons name writable layers and their init layers. */
const usual = /[0-9a-f]{64}(?:-init)?/g;

/**
 * Which writable layers of a root are mounted, in whatever mount namespace: who has them may write to them. All may be
 * where there is a daemon on the root whose namespace we do not see.
 *
 * @param names in the driver's home, of those that will be asked about
 */
export async function writersOn(root: string, names: readonly string[]): Promise<(name: string) => boolean> {
  if (names.length === 0) return () => true;
  const { all, closed } = mountNamespaces();
  for (const daemon of [await ownerOf(root), await dockerdOn(root)]) {
    if (daemon && (daemon.pid === undefined || closed.has(daemon.pid))) return () => true;
  }
  const mounted = new Set(all.flatMap(({ mountinfo }) => mountinfo.match(usual) ?? []));
  return (name) => name.match(usual)?.[0] !== name || mounted.has(name);
}
