/** What is told of a transfer that waits to be tried again. */
export function retrying(delayMs: number): string {
  const seconds = Math.max(1, Math.round(delayMs / 1000));
  return `Retrying in ${seconds} second${seconds === 1 ? "" : "s"}`;
}
