import type { ProbeFinding } from "../../src/ports/adapter.ts";
import { doubtful } from "../shared/probe.ts";
import type { Feature } from "./features.ts";

const FIX =
  "parley setup slack --apply, or add it under OAuth & Permissions of the app; then install the app again";

/** Which of these an app cannot do, with the scopes that it was granted. */
export function lacking(features: readonly Feature[], granted: readonly string[]): ProbeFinding[] {
  return features.flatMap(({ words, scopes, isVital }): ProbeFinding[] => {
    const missing = scopes.filter((scope) => !granted.includes(scope));
    if (missing.length === 0) return [];
    const message = `it cannot ${words}: the scope ${missing.join(", ")} is missing`;
    return [
      isVital === true
        ? { status: "fail", message, fix: FIX, code: "PLATFORM_MISMATCH" }
        : doubtful(message, FIX),
    ];
  });
}

/** Of the header `x-oauth-scopes`; null: Slack does not say. */
export function grantedBy(header: string | readonly string[] | undefined): readonly string[] | null {
  if (header === undefined) return null;
  return [header].flat().flatMap((line) => line.split(",").map((scope) => scope.trim()));
}
