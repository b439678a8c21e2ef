import type { IncomingMessage, ServerResponse } from "node:http";

/** What goes wrong with a request. `serve` does what a good registry does. */
export type Fault = (request: IncomingMessage, response: ServerResponse, serve: () => void) => unknown;

/** Answers with a status, and an error document where a code is given. */
export function answers(status: number, headers: Readonly<Record<string, string>> = {}, body = ""): Fault {
  return (request, response) => {
    request.resume();
    response.writeHead(status, headers).end(body);
  };
}

/** Sends on to another place. */
export function redirects(to: string, status = 307): Fault {
  return answers(status, { location: to });
}

/** Does what is right, but cuts the connection when so many bytes of the body have gone out. */
export function cutsAfter(bytes: number): Fault {
  return onlyFirst(bytes, (response) => response.socket?.destroySoon());
}

/** Sends so many bytes of the body, and then nothing more. */
export function stallsAfter(bytes: number): Fault {
  return onlyFirst(bytes, () => {});
}

/** Never answers. */
export const isSilent: Fault = () => {};

/** Takes the request for one of all bytes. */
export const ignoresRange: Fault = (request, _response, serve) => {
  delete request.headers.range;
  serve();
};

/** Every byte of the body is another one. */
export const garbles: Fault = (_request, response, serve) => {
  const send = response.end.bind(response) as (body?: Buffer) => ServerResponse;
  response.end = ((body?: Buffer) => send(body?.map((byte) => byte ^ 1) as Buffer | undefined)) as typeof response.end;
  serve();
};

/** Says that the body has another length, and keeps to it. */
export function saysLength(length: number): Fault {
  return (_request, response) => {
    response.writeHead(200, { "content-length": length });
    response.end(Buffer.alloc(length));
  };
}

/** A body of zeros as long as anybody reads it. */
export function floods(headers: Readonly<Record<string, string>>): Fault {
  return (_request, response) => {
    response.writeHead(200, headers);
    const more = () => {
      while (response.writable && response.write(Buffer.alloc(65_536)));
    };
    response.on("drain", more).on("error", () => {});
    more();
  };
}

/** Cuts the connection when so many bytes have come in; what came is kept. */
export function takesOnly(bytes: number): Fault {
  return (request, _response, serve) => {
    let taken = 0;
    request.on("data", (chunk: Buffer) => {
      taken += chunk.length;
      if (taken >= bytes) request.socket.destroy();
    });
    serve();
  };
}

function onlyFirst(bytes: number, then: (response: ServerResponse) => void): Fault {
  return (_request, response, serve) => {
    response.end = ((body?: Buffer) => {
      response.flushHeaders();
      response.write((body ?? Buffer.alloc(0)).subarray(0, bytes), () => then(response));
      return response;
    }) as typeof response.end;
    serve();
  };
}
