import { chmod, lstat, mkdir, unlink } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { AlreadyExists, InvalidParameter, isErrno, Unavailable } from "../spec/index.js";

/** Longest path the kernel takes for a socket: 108 bytes with the final NUL. @see unix(7) */
const maxSocketPath = 107;

/**
 * A socket that is being listened on. Disposing closes it and removes its file, unless it was handed over: then the
 * file is its maker's. Connections stay.
 */
export class Listener implements AsyncDisposable {
  /** Undefined where the socket was handed over. */
  readonly path: string | undefined;
  #server: Server;

  private constructor(server: Server, path?: string) {
    this.path = path;
    this.#server = server;
  }

  /**
   * Listens on a unix socket, mode 0660. A socket left by a daemon that is gone is replaced.
   *
   * @param failed told when a connection could not be taken: out of file descriptors, say; listening goes on
   * @throws AlreadyExists: somebody listens there, or something else has that name; InvalidParameter: path too long
   */
  static async open(path: string, accept: (socket: Socket) => void, failed: (error: Error) => void): Promise<Listener> {
    if (Buffer.byteLength(path) > maxSocketPath)
      throw new InvalidParameter(
        `socket path ${path} is too long: ${maxSocketPath} bytes is the most the kernel takes`,
      );
    // One level: what a socket lies in is the system's to make, or the user's. (Recursive, Node loops in /proc.)
    await mkdir(dirname(path)).catch((error) => {
      if (!isErrno(error, "EEXIST")) throw error;
    });
    await removeStale(path);
    const server = createServer({ allowHalfOpen: true }, accept);
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
    server.on("error", failed);
    await chmod(path, 0o660);
    return new Listener(server, path);
  }

  /** Listens on a socket that was handed over, by its descriptor. @throws Unavailable: it is none */
  static async adopt(fd: number, accept: (socket: Socket) => void, failed: (error: Error) => void): Promise<Listener> {
    const server = createServer({ allowHalfOpen: true }, accept);
    try {
      await new Promise<void>((resolve, reject) => server.once("error", reject).listen({ fd }, resolve));
    } catch (error) {
      throw new Unavailable(`descriptor ${fd}, handed over to be listened on, is no socket for that`, { cause: error });
    }
    server.on("error", failed);
    return new Listener(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Not waited for: `close` calls back when the last connection is gone, which is the server's affair.
    this.#server.close();
  }
}

async function removeStale(path: string): Promise<void> {
  try {
    if (!(await lstat(path)).isSocket())
      throw new AlreadyExists(`cannot listen on ${path}: a file that is no socket has this name`);
    if (await answers(path))
      throw new AlreadyExists(`cannot listen on ${path}: another daemon does; stop it or name another socket by -H`);
    await unlink(path);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket
      .once("connect", () => resolve(true))
      .once("error", (error) => {
        if (isErrno(error, "ECONNREFUSED", "ENOENT")) resolve(false);
        else reject(error);
      });
    socket.once("connect", () => socket.destroy());
  });
}
