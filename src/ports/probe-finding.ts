/** One thing that a look at the platform's API told. It holds nothing of our credentials. */
export interface ProbeFinding {
  /** `warn`: for a person to judge; it may well be as it should be. */
  readonly status: "ok" | "warn" | "fail";
  readonly message: string;
  /** What to do; null when there is nothing to do. */
  readonly fix: string | null;
  /** Of one that fails; see docs/errors.md. */
  readonly code: "PLATFORM_REFUSED" | "PLATFORM_UNREACHABLE" | "PLATFORM_MISMATCH" | null;
}
