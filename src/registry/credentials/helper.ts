import { spawn } from "node:child_process";
import { once } from "node:events";
import { type Credentials, credentialsIn, InvalidParameter, messageOf, Unavailable } from "../../spec/index.js";

const mostBytes = 64 * 1024;
/** What helpers say of a server they know nothing of; Docker looks for these texts, too. */
const notFound = /credentials not found|no credentials server URL/;

/**
 * Runs `docker-credential-NAME get`. What it says to the terminal, or asks there, goes through.
 *
 * @returns undefined when it knows nothing of the server
 * @throws Unavailable: it is not there, or failed
 * @see docker-credential-helpers
 */
export async function askHelper(name: string, server: string): Promise<Credentials | undefined> {
  if (!/^[\w.-]+$/.test(name)) throw new InvalidParameter(`${JSON.stringify(name)} is no name of a credential helper`);
  const program = `docker-credential-${name}`;
  const { status, said } = await run(program, server);
  if (status === 0) return credentialsOf(said, program);
  if (notFound.test(said)) return undefined;
  throw new Unavailable(`${program} get: ${said.trim().split("\n")[0] || `it ended with status ${status}`}`);
}

async function run(program: string, server: string): Promise<{ status: number; said: string }> {
  const child = spawn(program, ["get"], { stdio: ["pipe", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    if (said.length < mostBytes) said += chunk.toString();
  });
  child.stdin.on("error", () => {}); // it need not read what it is given
  child.stdin.end(server);
  try {
    const [status] = (await once(child, "close")) as [number | null];
    return { status: status ?? -1, said };
  } catch (error) {
    throw new Unavailable(`cannot run ${program}, which the docker config names: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function credentialsOf(said: string, program: string): Credentials | undefined {
  try {
    const { Username, Secret } = JSON.parse(said) as { Username?: unknown; Secret?: unknown };
    // A user of this name stands for a token.
    return credentialsIn(Username === "<token>" ? { identitytoken: Secret } : { username: Username, password: Secret });
  } catch (error) {
    throw new Unavailable(`${program} get: its answer is not JSON`, { cause: error });
  }
}
