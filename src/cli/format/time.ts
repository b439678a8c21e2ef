/** A span of time as the docker command says it: `About a minute`, `3 weeks`. */
export function span(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.round(seconds / 3600);
  const days = Math.floor(hours / 24);
  if (seconds < 1) return "Less than a second";
  if (seconds < 2) return "1 second";
  if (seconds < 60) return `${Math.floor(seconds)} seconds`;
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (days < 14) return `${days} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  if (days < 730) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(days / 365)} years`;
}

/** How long ago a moment was, given in seconds since 1970; `""` for Go's zero time, which stands for unknown. */
export function ago(created: number): string {
  if (created === goZero) return "";
  return `${span(Math.max(0, Date.now() / 1000 - created))} ago`;
}

const goZero = Date.parse("0001-01-01T00:00:00Z") / 1000;

/** `2026-11-21 20:56:45 +0000 UTC`: how Go prints a time. */
export function goTime(created: number): string {
  return `${new Date(created * 1000).toISOString().slice(0, 19).replace("T", " ")} +0000 UTC`;
}
