import { z } from "zod";
import { TOKENS_MAX } from "../domain/bounds.ts";
import type { Clock } from "../ports/clock.ts";
import type { TenantToken, Tokens } from "../ports/tokens.ts";
import { DAY_MS, iso } from "../shared/time.ts";
import type { Logger } from "../telemetry/log.ts";
import { TOKEN_DAYS_MAX, TOKEN_NAME_CHARS_MAX } from "./bounds.ts";
import { noQuery, tenantKey } from "./requests.ts";
import { type ApiResponse, problem } from "./responses.ts";

/** Tokens that open what is of one tenant: made, listed and revoked by operators. */

export interface TokensDeps {
  readonly tokens: Tokens;
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: Logger;
}

const createTokenBody = z.strictObject({
  tenant: tenantKey,
  name: z
    .string()
    .regex(new RegExp(`^[\\x20-\\x7e]{1,${TOKEN_NAME_CHARS_MAX}}$`), {
      error: `expected 1 to ${TOKEN_NAME_CHARS_MAX} printable ASCII characters`,
    })
    .default("-")
    .describe("Who or what it is for."),
  expires_seconds: z
    .int()
    .min(60)
    .max((TOKEN_DAYS_MAX * DAY_MS) / 1000)
    .nullable()
    .default(null)
    .describe("It opens nothing after so long; null: until it is revoked."),
});

const tokenFields = {
  id: z.string(),
  tenant: z.string().describe("Platform and id with a colon between."),
  name: z.string(),
  by: z.string().describe("Who made it."),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable().describe("Null: it does not."),
};
export const tokensSchema = z.object({
  tokens: z
    .array(z.object({ ...tokenFields, expired: z.boolean() }))
    .describe(`The oldest first, ${TOKENS_MAX} at most. The tokens themselves are kept nowhere.`),
});
export type TokensView = z.output<typeof tokensSchema>;
export const madeTokenSchema = z.object({
  ...tokenFields,
  token: z.string().describe("Shown here and never again."),
});
export type MadeTokenView = z.output<typeof madeTokenSchema>;
export const revokedTokenSchema = z.object({
  id: z.string(),
  status: z.literal("revoked"),
  tenant: z.string(),
  name: z.string(),
  by: z.string(),
});
export type RevokedToken = z.output<typeof revokedTokenSchema>;

/** Those of OPERATIONS that are about tokens. */
export const TOKEN_OPERATIONS = {
  listTokens: {
    method: "get",
    path: "/tokens",
    summary: "Tokens that are bound to a tenant",
    query: noQuery,
    answer: { status: 200, type: "application/json", schemas: ["Tokens"], what: "All of them." },
    problems: [400, 503],
  },
  createToken: {
    method: "post",
    path: "/tokens",
    summary: "Make a token that reads events, the live streams and conversations of one tenant",
    query: noQuery,
    body: createTokenBody,
    answer: { status: 200, type: "application/json", schemas: ["MadeToken"], what: "The token, once." },
    problems: [400, 409, 413, 415, 503],
  },
  revokeToken: {
    method: "delete",
    path: "/tokens/{id}",
    summary: "It opens nothing any more; what it has opened ends, on all replicas",
    query: noQuery,
    answer: { status: 200, type: "application/json", schemas: ["RevokedToken"], what: "It is revoked." },
    problems: [400, 404, 503],
  },
} as const;

export async function tokensView({ tokens, clock }: TokensDeps): Promise<TokensView> {
  const all = await tokens.list();
  const nowMs = clock.nowMs();
  return {
    tokens: all.map((token) => ({
      ...tokenView(token),
      expired: token.expiresAtMs !== null && token.expiresAtMs <= nowMs,
    })),
  };
}

export async function createToken(
  { tenant, name, expires_seconds }: z.output<typeof createTokenBody>,
  by: string,
  { tokens, clock, log }: TokensDeps,
): Promise<ApiResponse> {
  const expiresAtMs = expires_seconds === null ? null : clock.nowMs() + expires_seconds * 1000;
  const made = await tokens.create({ tenant, name, by, expiresAtMs });
  if (made === null) return problem(409, `There are ${TOKENS_MAX} tokens; revoke some first`);
  const { token, secret } = made;
  log.info({ token: token.id, tenant, by }, "token.created");
  return { status: 200, body: { ...tokenView(token), token: secret.reveal() } satisfies MadeTokenView };
}

export async function revokeToken(id: string, by: string, { tokens, log }: TokensDeps): Promise<ApiResponse> {
  const token = await tokens.revoke(id);
  if (token === null) return problem(404, "There is no token of this id; GET /api/v1/tokens lists them");
  const { tenant, name } = token;
  log.info({ token: id, tenant, by }, "token.revoked");
  return { status: 200, body: { id, status: "revoked", tenant, name, by } satisfies RevokedToken };
}

function tokenView({ id, tenant, name, by, createdAtMs, expiresAtMs }: TenantToken) {
  return {
    ...{ id, tenant, name, by, created_at: iso(createdAtMs) },
    expires_at: expiresAtMs === null ? null : iso(expiresAtMs),
  };
}
