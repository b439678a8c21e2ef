import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { call, Refused } from "../oracle/engine-call.js";
import { Layerkitd } from "../oracle/layerkitd.js";
import { runLeftovers } from "../oracle/run-leftovers.js";
import { sampleArchive } from "../oracle/sample-image.js";
import { scratch } from "../oracle/scratch.js";
import { type Bounds, type Outcome, playRounds } from "./rounds.js";
import { isSteady, RunLane, type Running } from "./run-lane.js";

const lanes = 3;

/**
 * Ends the daemon at random moments while several clients run containers, and looks after its next start whether all that
 * was acknowledged holds: what runs goes on, what was removed is gone, no line of a log is lost, nothing is left over.
 */
export async function playRuns(bounds: Bounds): Promise<Outcome> {
  await using place = await scratch("/dev/shm");
  await using game = await Game.open(join(place.path, "root"));
  return await playRounds("run", bounds, () => game.round(bounds.operations ?? 40));
}

class Game implements AsyncDisposable {
  readonly #root: string;
  #daemon: Layerkitd;
  #lanes: Running[][] = Array.from({ length: lanes }, () => []);
  /** Those that are no more, the last hundreds. */
  #gone: string[] = [];

  private constructor(root: string, daemon: Layerkitd) {
    this.#root = root;
    this.#daemon = daemon;
  }

  static async open(root: string): Promise<Game> {
    const daemon = await Layerkitd.start(root);
    const body = await sampleArchive("sample:1");
    await call(daemon.socket, "/images/load?quiet=1", { method: "POST", body });
    return new Game(root, daemon);
  }

  async round(most: number): Promise<Outcome> {
    const all = this.#lanes.map((containers) => new RunLane(this.#daemon.socket, containers));
    const acknowledged = () => all.reduce((sum, lane) => sum + lane.acknowledged, 0);
    let over = false;
    const working = Promise.all(all.map((lane) => lane.work(() => over)));
    const enough = randomInt(1, most);
    const late = performance.now() + 20_000;
    while (acknowledged() < enough && performance.now() < late) await delay(2);
    await delay(randomInt(30));
    over = true;
    if (randomInt(5) > 0) this.#daemon.kill();
    await this.#daemon[Symbol.asyncDispose]();
    await working;
    // Now and then the next one is killed too, while it takes up what runs.
    if (randomInt(4) === 0) {
      await using early = await Layerkitd.launch(this.#root);
      await delay(randomInt(600));
      early.kill();
    }
    this.#daemon = await Layerkitd.start(this.#root);
    const losses = all.flatMap((lane) => lane.losses);
    for (const lane of all) for (const container of lane.containers) losses.push(...(await this.#look(container)));
    this.#lanes = all.map(({ containers }) => containers.filter(({ phase }) => phase !== "gone"));
    const removed = all.flatMap(({ containers }) => containers.filter(({ phase }) => phase === "gone"));
    this.#gone = [...this.#gone, ...removed.map(({ id }) => id)].slice(-500);
    losses.push(...(await this.#leftovers()));
    losses.push(...this.#daemon.log.split("\n").filter((line) => /cannot|error/i.test(line)));
    return { losses, operations: acknowledged() };
  }

  /** Holds a container against what was acknowledged, and takes note of what it is now. */
  async #look(container: Running): Promise<string[]> {
    const { id, kind, phase } = container;
    const what = `${kind} container ${id}, ${phase}`;
    const found = await this.#stateOf(id);
    if (!found) {
      container.phase = "gone";
      const mayBe = phase === "gone" || phase === "unsure" || (kind === "once" && phase !== "created");
      return mayBe ? [] : [`${what}: is not there`];
    }
    if (phase === "gone") return [`${what}: is there, ${found.Status}`];
    const losses = [...this.#compare(container, found).map((why) => `${what}: ${why}`)];
    const log = await call(this.#daemon.socket, `/containers/${id}/logs?stdout=1`);
    losses.push(...gaps(log).map((gap) => `${what}: ${gap}`));
    if (isSteady(container)) container.phase = found.Paused ? "paused" : found.Running ? "running" : "stopped";
    else {
      await call(this.#daemon.socket, `/containers/${id}?force=1`, { method: "DELETE" }).catch((error) => {
        if (kind !== "once" || !(error instanceof Refused)) losses.push(`${what}: ${error}`);
      });
      container.phase = "gone";
    }
    if (found.Status === "created" && isSteady(container)) container.phase = "created";
    return losses;
  }

  #compare(container: Running, { Status, Running, ExitCode, Pid }: State): string[] {
    const { phase, kind } = container;
    if (Running && Pid > 0 && !existsSync(`/proc/${Pid}`) && isSteady(container))
      return [`process ${Pid} is not there`];
    if (phase === "unsure" || Status === phase) return [];
    // What is always started again is so at the start of the daemon too, stopped or not.
    if (phase === "stopped" && (Status === "exited" || kind === "again")) return [];
    if (phase === "running" && !isSteady(container)) {
      return Running || ExitCode === 5 || Status === "restarting" ? [] : [`is ${Status}, exit code ${ExitCode}`];
    }
    return [`is ${Status}, exit code ${ExitCode}`];
  }

  async #stateOf(id: string): Promise<State | undefined> {
    try {
      return JSON.parse(await call(this.#daemon.socket, `/containers/${id}/json`)).State as State;
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return undefined;
      throw error;
    }
  }

  /** What has just been acknowledged may still be tidied up. */
  async #leftovers(): Promise<string[]> {
    const all = this.#lanes.flat();
    const running = all.filter(({ phase }) => phase === "running" || phase === "paused").map(({ id }) => id);
    const others = [...this.#gone, ...all.map(({ id }) => id).filter((id) => !running.includes(id))];
    let left: string[] = [];
    for (const end = performance.now() + 5_000; performance.now() < end; await delay(50)) {
      left = runLeftovers(this.#root, { running, others });
      if (left.length === 0) break;
    }
    return left;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const list = await call(this.#daemon.socket, "/containers/json?all=1");
    for (const { Id } of JSON.parse(list) as { Id: string }[]) {
      await call(this.#daemon.socket, `/containers/${Id}?force=1`, { method: "DELETE" }).catch(() => {});
    }
    await this.#daemon[Symbol.asyncDispose]();
  }
}

interface State {
  readonly Status: string;
  readonly Running: boolean;
  readonly Paused: boolean;
  readonly ExitCode: number;
  readonly Pid: number;
}

/** Each line is the number after that of the line before, or 1 when it was started again. */
function gaps(log: string): string[] {
  const lines = log.split(/\r?\n/).slice(0, -1);
  const numbers = lines.map((line) => Number(/(\d+)$/.exec(line)?.[1]));
  const at = numbers.findIndex((number, i) => number !== 1 && number !== (numbers[i - 1] ?? 0) + 1);
  return at < 0 ? [] : [`log: line ${at} says ${JSON.stringify(lines[at])} after ${JSON.stringify(lines[at - 1])}`];
}
