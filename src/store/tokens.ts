import { hash, timingSafeEqual } from "node:crypto";
import { TOKENS_MAX } from "../domain/bounds.ts";
import { tokenIdIn } from "../domain/tenant.ts";
import type { Bus } from "../ports/bus.ts";
import type { Clock, NewId } from "../ports/clock.ts";
import type { TenantToken, Tokens } from "../ports/tokens.ts";
import type { Vault } from "../ports/vault.ts";
import { get, getString, parseJsonObject } from "../shared/json.ts";
import { Secret } from "../shared/secret.ts";
import { PLAIN } from "./secrets.ts";
import { entriesOf } from "./vault-entries.ts";

const PREFIX = `${PLAIN}token/`;
const TOPIC = "tokens";
/** 256 bits: nobody guesses them, so that a plain digest keeps them as well as a slow one would. */
const SECRET_BYTES = 32;

export interface TokensDeps {
  readonly vault: Vault;
  readonly bus: Bus;
  readonly clock: Pick<Clock, "nowMs">;
  readonly newId: NewId;
  readonly randomBytes: (count: number) => Buffer;
}

/** In the vault, as digests. */
export function createTokens({ vault, bus, clock, newId, randomBytes }: TokensDeps): Tokens {
  const kept = async (id: string) => {
    const value = await vault.get(PREFIX + id);
    return value === null ? null : keptIn(value);
  };
  const living = (token: TenantToken | undefined) =>
    token === undefined || isOver(token, clock.nowMs()) ? null : token;

  async function list(): Promise<readonly TenantToken[]> {
    const tokens: TenantToken[] = [];
    for await (const { value } of entriesOf(vault, PREFIX)) {
      const one = keptIn(value);
      if (one !== null) tokens.push(one.token);
    }
    return tokens;
  }

  return {
    list,
    async create(of) {
      // Two at once may make one more: it bounds a list, and no right hangs on it.
      if ((await list()).length >= TOKENS_MAX) return null;
      const id = newId("tok");
      const text = `parley_${id}_${randomBytes(SECRET_BYTES).toString("base64url")}`;
      const token: TenantToken = { id, ...of, createdAtMs: clock.nowMs() };
      await vault.put(
        PREFIX + id,
        JSON.stringify({ ...token, digest: digestOf(text).toString("hex") }),
        null,
      );
      return { token, secret: new Secret(text, true) };
    },
    async find(given) {
      const id = tokenIdIn(given);
      if (id === null) return null;
      const found = await kept(id);
      // Whether there is such a row must not be seen in how long it takes.
      const isIt = timingSafeEqual(digestOf(given), found?.digest ?? NOBODYS);
      return isIt ? living(found?.token) : null;
    },
    get: async (id) => living((await kept(id))?.token),
    async revoke(id) {
      const found = await kept(id);
      if (found === null || !(await vault.remove(PREFIX + id))) return null;
      await bus.publish(TOPIC, id);
      return found.token;
    },
    watch: (heard) => bus.subscribe(TOPIC, heard),
  };
}

/** Deletes those whose time is over. Gives how many. */
export async function forgetTokens(vault: Vault, nowMs: number): Promise<number> {
  let gone = 0;
  for await (const { name, value } of entriesOf(vault, PREFIX)) {
    const one = keptIn(value);
    if (one !== null && isOver(one.token, nowMs) && (await vault.remove(name, value))) gone++;
  }
  return gone;
}

function isOver({ expiresAtMs }: TenantToken, nowMs: number): boolean {
  return expiresAtMs !== null && expiresAtMs <= nowMs;
}

const NOBODYS = Buffer.alloc(32);

function digestOf(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

/** Null: it cannot be read, and opens nothing. */
function keptIn(value: string): { readonly token: TenantToken; readonly digest: Buffer } | null {
  const parsed = parseJsonObject(value);
  if (!parsed.ok) return null;
  const [id, tenant, name, by, digest] = ["id", "tenant", "name", "by", "digest"].map((key) =>
    getString(parsed.value, key),
  );
  const createdAtMs = get(parsed.value, "createdAtMs");
  const expiresAtMs = get(parsed.value, "expiresAtMs");
  if (id === undefined || tenant === undefined || name === undefined || by === undefined) return null;
  if (typeof createdAtMs !== "number" || (expiresAtMs !== null && typeof expiresAtMs !== "number"))
    return null;
  if (digest === undefined || !/^[0-9a-f]{64}$/.test(digest)) return null;
  return { token: { id, tenant, name, by, createdAtMs, expiresAtMs }, digest: Buffer.from(digest, "hex") };
}
