import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { TLSSocket } from "node:tls";
import { Undo } from "../../src/spec/index.js";
import { makeCertificate } from "./certificate.js";
import { scratch } from "./scratch.js";

/** How Docker Hub's registry is named; its certificate is not checked if this is among the insecure registries. */
export const hubHost = "registry-1.docker.io";

/**
 * For this process, until disposed, Docker Hub is another registry: its proxy leads there, and speaks TLS for it.
 *
 * @param host of the registry, which speaks plain HTTP
 */
export async function asDockerHub(host: string): Promise<AsyncDisposable> {
  const undo = new Undo();
  await using directory = await scratch();
  const { key, cert } = await makeCertificate(directory.path);
  const proxy = createServer().listen(0, "127.0.0.1");
  undo.defer(() => proxy.close());
  await once(proxy, "listening");
  proxy.on("connect", (request, socket) => {
    socket.write(request.url === `${hubHost}:443` ? "HTTP/1.1 200 OK\r\n\r\n" : "HTTP/1.1 403 Forbidden\r\n\r\n");
    const plain = new TLSSocket(socket as ConstructorParameters<typeof TLSSocket>[0], { isServer: true, key, cert });
    const through = connect(Number(host.split(":")[1]), "127.0.0.1");
    plain.pipe(through).pipe(plain);
    for (const each of [socket, plain, through])
      each.on("error", () => {}).on("close", () => [socket, through].map((one) => one.destroy()));
    undo.defer(() => socket.destroy());
  });
  process.env.HTTPS_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  undo.defer(() => {
    delete process.env.HTTPS_PROXY;
  });
  return undo;
}
