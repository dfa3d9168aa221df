import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { TOKEN_CHECK_MS } from "../../src/admin/bounds.ts";
import { type Caller, Callers, type TokenEnd } from "../../src/admin/callers.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import type { TenantToken } from "../../src/ports/tokens.ts";
import { Secret } from "../../src/shared/secret.ts";
import { FakeClock } from "../support/clock.ts";

const TOKEN: TenantToken = {
  ...{ id: "tok_1", tenant: "slack:T1", name: "-", by: "ann" },
  ...{ createdAtMs: 0, expiresAtMs: null },
};

/** Somebody with a token of a tenant, and a store that answers whether it is good when `get` does. */
async function opened(get: () => Promise<TenantToken | null>) {
  const clock = new FakeClock();
  const tokens = { find: async () => TOKEN, get, watch: () => () => {} };
  const callers = new Callers({ token: new Secret("x".repeat(32)), tokens, clock });
  const caller = await callers.of(`parley_tok_1_${"A".repeat(43)}`);
  return { clock, callers, caller: caller as Caller };
}

it("looks whether tokens are good once a time, also where all left and others came while the store was asked", async () => {
  const { promise, resolve } = Promise.withResolvers<TenantToken | null>();
  const { clock, callers, caller } = await opened(() => promise);
  const leave = callers.follow(caller, () => {});
  clock.advance(TOKEN_CHECK_MS);
  await setImmediate();
  leave();
  const leaveAgain = callers.follow(caller, () => {});
  resolve(TOKEN);
  await setImmediate();
  expect(clock.sleeping).toBe(1);
  leaveAgain();
  await setImmediate();
  expect(clock.sleeping).toBe(0);
});

it.each<readonly [TokenEnd, () => Promise<TenantToken | null>]>([
  ["ended", async () => null],
  ["unknown", () => Promise.reject(new GatewayError("STORE_UNAVAILABLE", "away"))],
])("tells whoever has something open: %s", async (why, get) => {
  const { clock, callers, caller } = await opened(get);
  const heard: TokenEnd[] = [];
  callers.follow(caller, (end) => heard.push(end));
  clock.advance(TOKEN_CHECK_MS);
  await setImmediate();
  expect(heard).toEqual([why]);
  expect(clock.sleeping).toBe(0);
});
