import { z } from "zod";
import { PLATFORMS, type Platform } from "../domain/event.ts";
import type { InstallationKeeper, InstallationRecord } from "../ports/installations.ts";
import type { ProbeFinding } from "../ports/probe-finding.ts";
import { iso } from "../shared/time.ts";
import { PAGE_DEFAULT, PAGE_MAX } from "./bounds.ts";
import { cursorOf, placeOf } from "./cursor.ts";

/** Workspaces that have installed an app themselves: what they are, never what opens them. */

/** A look asks the platform once for each. */
const CHECKED_MAX = 50;
const CHECKS_AT_ONCE = 5;

export const installationsQuery = z.strictObject({
  platform: z.enum(PLATFORMS).optional(),
  check: z
    .enum(["true", "false"])
    .default("false")
    .transform((text) => text === "true")
    .describe(`Asks the platform about each; a page has ${CHECKED_MAX} at most then.`),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT),
  cursor: z
    .string()
    .refine((text) => placeOf("installations", text) !== null, {
      error: "expected the `next` of a page of this list, as it was given",
    })
    .optional()
    .describe("The `next` of the page before, as it was given."),
});

const findingSchema = z.object({
  status: z.enum(["ok", "warn", "fail"]),
  message: z.string(),
  fix: z.string().nullable(),
});
export const installationSchema = z.object({
  id: z.string().describe("Platform and tenant with a colon between."),
  platform: z.enum(PLATFORMS),
  tenant: z.string(),
  state: z.enum(["ok", "unreadable"]).describe("`unreadable`: none of our keys opens it; the rest is null."),
  name: z.string().nullable(),
  kind: z.enum(["workspace", "organisation"]).nullable(),
  scopes: z.array(z.string()),
  installed_at: z.iso.datetime().nullable(),
  installed_by: z.string().nullable().describe("A person's id."),
  token_expires_at: z.iso.datetime().nullable().describe("Null: never, or not known."),
  findings: z.array(findingSchema).optional().describe("With `check`: what the platform says of it."),
});
export type InstallationView = z.output<typeof installationSchema>;
export const installationPageSchema = z.object({
  installations: z.array(installationSchema),
  next: z.string().nullable(),
});
export const removedSchema = z.object({ id: z.string(), status: z.literal("removed"), by: z.string() });

export interface InstallationsDeps {
  /** Of the platforms that have such. */
  readonly installations: ReadonlyMap<Platform, InstallationKeeper>;
}

interface Place {
  readonly platform: Platform;
  readonly tenant: string;
}

/** Platforms one after the other, in each by tenant. Rejects with STORE_*. */
export async function installationPage(
  query: z.output<typeof installationsQuery>,
  { installations }: InstallationsDeps,
  signal: AbortSignal,
): Promise<z.output<typeof installationPageSchema>> {
  const after = query.cursor === undefined ? null : placeIn(placeOf("installations", query.cursor) ?? "");
  const limit = query.check ? Math.min(query.limit, CHECKED_MAX) : query.limit;
  const platforms = PLATFORMS.filter((name) => query.platform === undefined || name === query.platform);
  const begun = after === null ? 0 : Math.max(0, platforms.indexOf(after.platform));
  const found: (Place & { readonly record: InstallationRecord })[] = [];
  for (const platform of platforms.slice(begun)) {
    const from = after?.platform === platform ? after.tenant : null;
    const records = await installations.get(platform)?.list({ after: from, limit: limit + 1 - found.length });
    found.push(...(records ?? []).map((record) => ({ platform, tenant: record.tenant, record })));
    if (found.length > limit) break;
  }
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const findings = query.check
    ? await checked(
        page,
        async ({ platform, tenant }) => (await installations.get(platform)?.check(tenant, signal)) ?? [],
      )
    : [];
  return {
    installations: page.map(({ platform, record }, i) => viewOf(platform, record, findings[i])),
    next: found.length > limit && last !== undefined ? cursorOf("installations", idOf(last)) : null,
  };
}

/** Null: no such place. */
export function placeIn(id: string): Place | null {
  const [, name, tenant] = /^([a-z]{1,20}):([!-~]{1,100})$/.exec(id) ?? [];
  const platform = PLATFORMS.find((one) => one === name);
  return platform === undefined || tenant === undefined ? null : { platform, tenant };
}

function idOf({ platform, tenant }: Place): string {
  return `${platform}:${tenant}`;
}

function viewOf(
  platform: Platform,
  { tenant, about }: InstallationRecord,
  findings: readonly ProbeFinding[] | undefined,
): InstallationView {
  const expiresAtMs = about?.expiresAtMs ?? null;
  return {
    id: idOf({ platform, tenant }),
    platform,
    tenant,
    state: about === null ? "unreadable" : "ok",
    name: about?.name ?? null,
    kind: about === null ? null : about.isOrganisation ? "organisation" : "workspace",
    scopes: [...(about?.scopes ?? [])],
    installed_at: about === null ? null : iso(about.installedAtMs),
    installed_by: about?.installedBy ?? null,
    token_expires_at: expiresAtMs === null ? null : iso(expiresAtMs),
    ...(findings !== undefined && {
      findings: findings.map(({ status, message, fix }) => ({ status, message, fix })),
    }),
  };
}

/** A few at a time, in their order. */
async function checked<T, R>(items: readonly T[], check: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += CHECKS_AT_ONCE)
    results.push(...(await Promise.all(items.slice(i, i + CHECKS_AT_ONCE).map(check))));
  return results;
}
