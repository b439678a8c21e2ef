import type { Terminal } from "./terminal.js";

const prompt = "# ";
const stty = ["-v", "/usr/bin/stty:/bin/stty:ro"];

/** An hour at a terminal with a shell in a container. @returns what was shown, piece by piece, and how each ended */
export async function atTerminals(open: (...args: string[]) => Promise<Terminal>, name = "tty"): Promise<unknown[]> {
  const seen: unknown[] = [];
  const say = async (terminal: Terminal, line: string) => {
    terminal.type(`${line}\r`);
    seen.push(await terminal.until(prompt));
  };
  const end = async (terminal: Terminal, keys: string) => {
    terminal.type(keys);
    seen.push(await terminal.status, terminal.rest);
  };
  {
    await using terminal = await open("run", "-it", "--name", name, "--network", "none", ...stty, "sample:1", "sh");
    await terminal.until(prompt);
    await resized(terminal, 33, 99);
    await say(terminal, "stty -onlcr; printf 'a\\nb\\n'; stty onlcr");
    await say(terminal, "cat /no; echo out");
    terminal.type("cat\r");
    await terminal.until("cat\r\n");
    terminal.type("\x03");
    seen.push(await terminal.until(prompt));
    await end(terminal, "\x10\x11");
  }
  {
    await using terminal = await open("attach", "--detach-keys", "ctrl-x,x", name);
    await reached(terminal);
    await resized(terminal, 20, 70);
    await say(terminal, "echo here");
    await end(terminal, "\x18x");
  }
  {
    await using terminal = await open("exec", "-it", name, "sh");
    await terminal.until(prompt);
    await resized(terminal, 21, 71);
    await end(terminal, "exit 5\r");
  }
  {
    await using terminal = await open("exec", "-it", "--detach-keys", "a,b", name, "sh");
    await terminal.until(prompt);
    await end(terminal, "ab");
  }
  {
    await using terminal = await open("attach", name);
    await reached(terminal);
    await end(terminal, "exit 7\r");
  }
  {
    await using terminal = await open("start", "-ai", name);
    await terminal.until(prompt);
    await end(terminal, "exit 9\r");
  }
  return seen;
}

/** Asks the shell for something until it is heard: what is typed before all is connected is echoed elsewhere. */
async function reached(terminal: Terminal): Promise<void> {
  terminal.type("echo is$((40 + 2))\r");
  await terminal.until("is42\r\n");
  await terminal.until(prompt);
}

/** Changes the size until it has arrived inside: nobody may listen yet. */
async function resized(terminal: Terminal, rows: number, columns: number): Promise<void> {
  for (let said = ""; !said.includes(`${rows} ${columns}\r\n`); ) {
    await terminal.resize(rows, columns + 1);
    await terminal.resize(rows, columns);
    terminal.type("stty size\r");
    said = await terminal.until(prompt);
  }
}
