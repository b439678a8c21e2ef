import { isIPv6 } from "node:net";
import { LayerkitError, messageOf, Unavailable } from "../spec/index.js";
import type { Request } from "./exchange.js";
import { Passing } from "./passing.js";

/** Errors of connections by code, in words; those of the second table do not go away by trying again. */
const passing: Readonly<Record<string, string>> = {
  ECONNRESET: "connection reset by peer",
  EPIPE: "the connection was cut",
  UND_ERR_SOCKET: "the connection was cut",
  UND_ERR_ABORTED: "the connection was cut",
  ETIMEDOUT: "connection timed out",
  EAI_AGAIN: "temporary failure in name resolution",
  ECONNREFUSED: "connection refused",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  UND_ERR_CONNECT_TIMEOUT: "no connection in time",
  UND_ERR_HEADERS_TIMEOUT: "no answer in time",
  UND_ERR_BODY_TIMEOUT: "nothing more came in time",
  HPE_INVALID_EOF_STATE: "the connection was cut",
};
const lasting: Readonly<Record<string, string>> = {
  ENOTFOUND: "no such host",
  ERR_SSL_WRONG_VERSION_NUMBER: "http: server gave HTTP response to HTTPS client",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "http: server gave HTTP response to HTTPS client",
  UND_ERR_HEADERS_OVERFLOW: "the headers of the answer are too large",
};

/** What went wrong with a connection, in one line; what is none (the signal's reason) as it is. */
export function connectionFailure(error: unknown, { method, url, signal }: Request): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof LayerkitError) return error; // of what was to be sent
  const said = `${method[0]}${method.slice(1).toLowerCase()} "${url.origin}${url.pathname}"`;
  const code = codeOf(error);
  const why = passing[code];
  if (why !== undefined) return new Passing(`${said}: ${whereTo(error)}${why}`, { cause: error });
  return new Unavailable(`${said}: ${lasting[code] ?? certificateProblem(error, code)}`, { cause: error });
}

interface SocketError {
  readonly code?: string;
  readonly syscall?: string;
  readonly address?: string;
  readonly port?: number;
}

function codeOf(error: unknown): string {
  return firstOf(error).code ?? "";
}

/** Of several addresses all of which failed, the first one's. */
function firstOf(error: unknown): SocketError {
  return ((error instanceof AggregateError ? error.errors[0] : error) ?? {}) as SocketError;
}

/** What Docker says where no connection was to be had. */
function whereTo(error: unknown): string {
  const { syscall, address, port } = firstOf(error);
  return syscall === "connect" ? `dial tcp ${isIPv6(address ?? "") ? `[${address}]` : address}:${port}: connect: ` : "";
}

function certificateProblem(error: unknown, code: string): string {
  const why = messageOf(error);
  if (!/CERT|SIGNATURE|ISSUER|ALTNAME/.test(code)) return why;
  return `tls: failed to verify certificate: ${why}: trust its authority in certs.d, or add the host to insecure-registries`;
}

/** Whether there is nobody at that address: trying it again at once is no use. */
export function isNobodyThere(error: unknown): boolean {
  return error instanceof Error && ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH"].includes(codeOf(error.cause));
}
