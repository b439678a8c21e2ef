import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { Conflict, isErrno } from "../../spec/index.js";

/**
 * A port of the host that nobody listens on.
 *
 * @param port 0: any
 * @throws Conflict: it is in use, in Docker's words
 */
export async function freeHostPort(protocol: string, address: string, port: number): Promise<number> {
  try {
    return await (protocol === "udp" ? boundDatagram(address, port) : boundStream(address, port));
  } catch (error) {
    if (!isErrno(error, "EADDRINUSE")) throw error;
    throw new Conflict(`Bind for ${address}:${port} failed: port is already allocated`, { cause: error });
  }
}

function boundStream(host: string, port: number): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => {
      const bound = (server.address() as { port: number }).port;
      server.close(() => resolve(bound));
    });
  });
}

function boundDatagram(address: string, port: number): Promise<number> {
  const socket = createSocket("udp4");
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address, port, exclusive: true }, () => {
      const bound = socket.address().port;
      socket.close(() => resolve(bound));
    });
  });
}
