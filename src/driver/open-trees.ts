import type { Mounted, OpenDiff } from "./driver.js";

/** Two whole trees to be compared, mounted as long as the diff is open; without `lower` all is new. */
export async function openTrees(
  mountUpper: () => Promise<Mounted>,
  mountLower: (() => Promise<Mounted>) | undefined,
): Promise<OpenDiff> {
  const upper = await mountUpper();
  try {
    const lower = await mountLower?.();
    const source = { kind: "trees", upper: upper.path, ...(lower && { lower: lower.path }) } as const;
    const dispose = async () => {
      await upper[Symbol.asyncDispose]();
      await lower?.[Symbol.asyncDispose]();
    };
    return { source, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await upper[Symbol.asyncDispose]();
    throw error;
  }
}
