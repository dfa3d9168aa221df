import { createHmac } from "node:crypto";
import type { Audit } from "../ports/audit.ts";
import type { Secret } from "../shared/secret.ts";

/**
 * A person (`platform:tenant:id`) for what is kept for good: whoever has the id and the key finds it again, and nobody else the
 * id. By the admin token, which every replica has; without one nobody can ask.
 */
export function subjectOf(person: string, token: Secret | null): string {
  const key = token === null ? "" : token.reveal();
  return `person:${createHmac("sha256", key).update(person).digest("hex").slice(0, 32)}`;
}

/** The audit, which cannot forget, knows no person by their id. A workspace (`platform:tenant`) is none. */
export function withoutPersons(audit: Audit, token: Secret | null): Audit {
  return {
    write: (deed) =>
      audit.write(
        deed.role === "member" && PERSON.test(deed.actor)
          ? { ...deed, actor: subjectOf(deed.actor, token) }
          : deed,
      ),
  };
}

const PERSON = /^[^:]+:[^:]*:./;
