/** How long to go on, and how hard; what is not given has no bound. */
export interface Bounds {
  readonly rounds: number;
  readonly minutes?: number;
  /** Most operations in a round. */
  readonly operations?: number;
  /** No further round begins. */
  readonly signal?: AbortSignal;
}

export interface Outcome {
  /** One line each: what was lost, damaged, or left over. */
  readonly losses: readonly string[];
  /** How many operations an engine has acknowledged. */
  readonly operations: number;
}

/** Plays rounds, prints how they go, and ends after the tenth with losses. @returns of all rounds together */
export async function playRounds(
  name: string,
  { rounds, minutes = Number.POSITIVE_INFINITY, signal }: Bounds,
  play: (round: number) => Promise<Outcome>,
): Promise<Outcome> {
  const end = performance.now() + minutes * 60_000;
  const losses: string[] = [];
  let [operations, played, bad] = [0, 0, 0];
  const tell = () => console.log(`${name}: ${played} rounds, ${operations} operations, ${losses.length} losses`);
  while (played < rounds && performance.now() < end && bad < 10 && !signal?.aborted) {
    const outcome = await play(++played).catch((error) => ({
      losses: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
      operations: 0,
    }));
    for (const loss of outcome.losses) console.log(`${name}, round ${played}: ${loss}`);
    if (outcome.losses.length > 0) bad++;
    losses.push(...outcome.losses);
    operations += outcome.operations;
    if (played % 50 === 0) tell();
  }
  if (played % 50 !== 0) tell();
  return { losses, operations };
}
