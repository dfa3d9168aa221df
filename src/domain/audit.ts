/** Who did it: an operator with the token, a person in a chat, the gateway itself, or somebody without the token. */
export const AUDIT_ROLES = ["operator", "member", "system", "stranger"] as const;
export type AuditRole = (typeof AUDIT_ROLES)[number];

/** Something that was done to the gateway, or tried. Never the text of a message. */
export interface Deed {
  readonly atMs: number;
  /** The name of an operator, a person as `platform:tenant:id`, or `gateway`. */
  readonly actor: string;
  readonly role: AuditRole;
  /** What was done, as in `kill_switch.set`. */
  readonly action: string;
  /** What it was done to: an id, a name, or what there is but one of. */
  readonly subject: string;
  /** The other end of the connection. */
  readonly peer?: string | null;
  readonly userAgent?: string | null;
  readonly requestId?: string | null;
  /** What was so before and what has been since, as small JSON values; absent where there is nothing to say. */
  readonly before?: unknown;
  readonly after?: unknown;
}

/** A deed as it is kept. Its fields, without `hash`, are in the order in which the hash has them. */
export interface AuditEntry {
  readonly seq: number;
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly role: AuditRole;
  readonly action: string;
  readonly subject: string;
  readonly peer: string | null;
  readonly user_agent: string | null;
  readonly request_id: string | null;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly hash: string;
}

/** An entry of the chain. */
export interface AuditPlace {
  /** From 1, without gaps. */
  readonly seq: number;
  readonly hash: string;
}

/** `body` is the entry as JSON, without its hash. */
export interface AuditRow extends AuditPlace {
  readonly body: string;
}

/** Before the first entry. */
export const AUDIT_BEGINNING: AuditPlace = { seq: 0, hash: "0".repeat(64) };

/** Said by the gateway of itself, as it lets go of the oldest entries: `after` is the place up to which. */
export const AUDIT_PRUNED = "audit.pruned";
