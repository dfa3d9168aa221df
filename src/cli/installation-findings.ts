import type { InstallationView } from "../admin/installations.ts";
import { isObject } from "../shared/json.ts";
import type { Secret } from "../shared/secret.ts";
import { ask } from "./ask.ts";
import { type Finding, ok, warn } from "./findings.ts";

/** Each is a call of the gateway to a platform, a few at a time. */
const TIMEOUT_MS = 60_000;
const LOOKED_MAX = 50;

/** What the gateway that runs here finds out about those who have installed an app themselves. It has the tokens; we do not. */
export async function installationFindings(url: string, token: Secret | null): Promise<Finding[]> {
  if (token === null) return [];
  const headers = { authorization: `Bearer ${token.reveal()}` };
  const answer = await ask(
    `${url}/api/v1/installations?check=true&limit=${LOOKED_MAX}`,
    { headers },
    TIMEOUT_MS,
  );
  const page = answer.kind === "answered" && answer.status === 200 ? pageIn(answer.body) : null;
  if (page === null)
    return [
      warn(
        "installations",
        "the gateway does not tell of them",
        "look at PARLEY_ADMIN_TOKEN, and at what it logs",
      ),
    ];
  const { installations, next } = page;
  const found = installations.flatMap(({ id, findings = [] }) =>
    findings
      .filter(({ status }) => status !== "ok")
      .map(({ status, message, fix }) => ({
        check: "installations",
        status,
        message: `${id}: ${message}`,
        fix,
      })),
  );
  const well = installations.filter(({ findings = [] }) => findings.every(({ status }) => status === "ok"));
  const count = `${well.length} of ${installations.length} are as they should be`;
  const more = next === null ? "" : "; there are more: parley installations list --check";
  return installations.length === 0 ? [] : [...found, ok("installations", count + more)];
}

function pageIn(
  body: string,
): { readonly installations: readonly InstallationView[]; readonly next: string | null } | null {
  try {
    const page: unknown = JSON.parse(body);
    return isObject(page) && Array.isArray(page.installations)
      ? (page as unknown as ReturnType<typeof pageIn>)
      : null;
  } catch {
    return null;
  }
}
