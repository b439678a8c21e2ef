import { InvalidParameter } from "../../spec/index.js";

/**
 * The ports an EXPOSE word names, as `80/tcp`: `80`, `80/udp`, `8000-8010/tcp`; also with a host part in front
 * (`127.0.0.1:80:80`), which does not count.
 *
 * @throws InvalidParameter: "Invalid containerPort: …", "Invalid proto: …", "Invalid range format …"
 */
export function exposedPorts(word: string): string[] {
  const [spec = "", protocol = "tcp"] = splitProtocol(word);
  const container = spec.slice(spec.lastIndexOf(":") + 1);
  if (container === "") throw new InvalidParameter(`No port specified: ${word}<empty>`);
  if (!["tcp", "udp", "sctp"].includes(protocol)) throw new InvalidParameter(`Invalid proto: ${protocol}`);
  const [low, high = low] = container.split("-").map(portNumber);
  if (container.split("-").length > 2 || low === undefined || high === undefined || high < low) {
    throw new InvalidParameter(`Invalid containerPort: ${container}`);
  }
  return Array.from({ length: high - low + 1 }, (_, at) => `${low + at}/${protocol}`);
}

function splitProtocol(word: string): [string, string] {
  const slash = word.indexOf("/");
  return slash < 0 ? [word, "tcp"] : [word.slice(0, slash), word.slice(slash + 1).toLowerCase() || "tcp"];
}

function portNumber(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  return port >= 0 && port <= 65535 ? port : undefined;
}
