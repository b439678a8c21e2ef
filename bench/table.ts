import type { Sample } from "./sample.js";

/** One contender, or a floor, at one work. */
export interface Row {
  readonly name: string;
  readonly samples: readonly Sample[];
}

/** A work and who did it: medians, and how ours compares to each other in time and in processor time. */
export function tableOf(title: string, rows: readonly Row[]): string {
  const ours = rows.find(({ name }) => name === "layerkit");
  const head = line(title, ["time", "ours is", "cpu", "ours is", "memory"]);
  return [head, ...rows.map((row) => rowOf(row, ours))].join("\n");
}

function rowOf(row: Row, ours: Row | undefined): string {
  const { name, samples } = row;
  const [ms, cpu, peak] = middles(samples);
  const [oursMs, oursCPU] = ours === undefined || ours === row ? [] : middles(ours.samples);
  const memory = peak === undefined ? "" : `${Math.round(peak / 1e6)} MB`;
  return line(`  ${name}`, [seconds(ms / 1000), ratio(oursMs, ms), seconds(cpu), ratio(oursCPU, cpu), memory]);
}

function middles(samples: readonly Sample[]): [ms: number, cpu: number, peak: number | undefined] {
  const peaks = samples.map(({ peak }) => peak).filter((peak) => peak !== undefined);
  return [
    median(samples.map(({ ms }) => ms)),
    median(samples.map(({ cpu }) => cpu)),
    peaks.length === 0 ? undefined : Math.max(...peaks),
  ];
}

function ratio(ours: number | undefined, theirs: number): string {
  return ours === undefined || theirs < 0.005 ? "" : (ours / theirs).toFixed(2);
}

function line(first: string, cells: readonly string[]): string {
  return `${first.padEnd(38)}${cells.map((cell) => cell.padStart(10)).join("")}`.trimEnd();
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function seconds(value: number): string {
  return `${value.toFixed(value < 0.1 ? 3 : 2)} s`;
}
