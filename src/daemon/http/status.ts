import { type ErrorCode, LayerkitError } from "../../spec/index.js";

/** The one place where kinds of errors become HTTP statuses. @see engine-api 1.3 */
const statuses: Readonly<Record<ErrorCode, number>> = {
  "already-exists": 409,
  cancelled: 499,
  conflict: 409,
  "data-loss": 500,
  forbidden: 403,
  internal: 500,
  "invalid-parameter": 400,
  "not-found": 404,
  "not-implemented": 501,
  "not-modified": 304,
  unauthorized: 401,
  unavailable: 503,
};

/** HTTP status for anything thrown; 500 for what is no error of ours. */
export function statusOf(error: unknown): number {
  return error instanceof LayerkitError ? statuses[error.code] : 500;
}
