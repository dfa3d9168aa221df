import { expect, it, onTestFinished } from "vitest";
import type { HookTarget } from "../../src/hooks/target.ts";
import type { HookDelivery } from "../../src/ports/hooks.ts";
import { Secret } from "../../src/shared/secret.ts";
import { createDeliveries, createHookStates } from "../../src/store/deliveries.ts";
import { call } from "../cli/helpers.ts";
import { type Receiver, startReceiver } from "../hooks/receiver.ts";
import { openAdmin, TOKEN } from "../support/admin.ts";

const KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async function open() {
  const receiver = await startReceiver();
  onTestFinished(() => receiver[Symbol.asyncDispose]());
  const hooks: readonly HookTarget[] = [
    {
      ...{ name: "ops", url: receiver.url, secrets: [new Secret(KEY)], types: new Set(["event.dead"]) },
      ...{ includesText: false, timeoutMs: 5_000, attemptsMax: 16 },
    },
  ];
  const admin = await openAdmin({ hooks });
  const deliveries = createDeliveries(admin.store.vault);
  const bury = (id: string, atMs: number) =>
    deliveries.put({ ...aDelivery(id), died: { atMs, cause: "no" } });
  const env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: await admin.listen() };
  return { admin, receiver, deliveries, bury, run: (...args: string[]) => call(["hooks", ...args], { env }) };
}

const aDelivery = (id: string): HookDelivery => ({
  ...{ hook: "ops", id, type: "event.dead", atMs: 1_000, data: { cause: "x" }, attempts: 16, dueMs: 1_000 },
});
const post = (body?: object) => ({
  method: "POST",
  ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
});

it("lists hooks with what waits, what was given up and how the last call went, and no more of the address", async () => {
  const { admin, deliveries, bury, run } = await open();
  await deliveries.put(aDelivery("msg_1"));
  await bury("msg_2", 5_000);
  await createHookStates(admin.store.vault).put("ops", {
    deliveredAtMs: 1_000,
    failure: { atMs: 2_000, cause: "answered 500" },
  });
  const answer = await admin.ask("/hooks");
  expect(await answer.json()).toEqual({
    hooks: [
      {
        name: "ops",
        to: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
        events: ["event.dead"],
        include_text: false,
        waiting: 1,
        dead: 1,
        last_delivered_at: "1970-01-01T00:00:01.000Z",
        last_failure: { at: "1970-01-01T00:00:02.000Z", cause: "answered 500" },
      },
    ],
  });
  const listed = await run("list");
  expect(listed.stdout).toMatch(/^1 +1 +1970-01-01T00:00:01\.000Z +http:\S+: answered 500 +ops$/m);
  expect(listed.stdout).not.toContain("hidden");
});

it("lists what was given up page by page, and sends it again, all or by id", async () => {
  const { admin, deliveries, bury, run } = await open();
  for (const [n, id] of ["msg_a", "msg_b", "msg_c"].entries()) await bury(id, 5_000 + n);
  const first = (await (await admin.ask("/hooks/ops/dead?limit=2")).json()) as {
    deliveries: { id: string }[];
    next: string;
  };
  expect(first.deliveries.map(({ id }) => id)).toEqual(["msg_c", "msg_b"]);
  const rest = await admin.ask(`/hooks/ops/dead?limit=2&cursor=${encodeURIComponent(first.next)}`);
  expect(await rest.json()).toMatchObject({
    deliveries: [{ id: "msg_a", type: "event.dead", attempts: 16, cause: "no", data: { cause: "x" } }],
    next: null,
  });
  expect((await admin.ask("/hooks/ops/dead?cursor=nonsense")).status).toBe(400);

  const one = await admin.ask("/hooks/ops/replay", post({ ids: ["msg_b", "msg_unknown"] }));
  expect(await one.json()).toEqual({ name: "ops", replayed: 1, by: "admin" });
  expect(await deliveries.next("ops", 9)).toMatchObject([{ id: "msg_b", attempts: 0 }]);
  expect((await run("replay", "ops")).code).toBe(2);
  const all = await run("replay", "ops", "--all");
  expect([all.code, all.stderr]).toEqual([0, "2 on their way to ops\n"]);
  expect((await deliveries.next("ops", 9)).map(({ id }) => id)).toEqual(["msg_a", "msg_b", "msg_c"]);
  expect((await run("dead", "ops", "--json")).stdout).toBe('{\n  "deliveries": [],\n  "next": null\n}\n');
});

it("tries a hook with a signed message that means nothing", async () => {
  const { receiver, run }: { receiver: Receiver; run: (...args: string[]) => ReturnType<typeof call> } =
    await open();
  const taken = await run("test", "ops");
  expect([taken.code, taken.stdout]).toEqual([0, "ops took it (204)\n"]);
  expect(receiver.received[0]?.body).toMatchObject({ type: "hook.test", data: { hook: "ops" } });
  expect(receiver.received[0]?.isSignedWith(KEY)).toBe(true);
  receiver.answer(() => 500);
  const refused = await run("test", "ops");
  expect([refused.code, refused.stdout]).toEqual([1, "ops did not take it: answered 500\n"]);
  expect(JSON.parse((await run("test", "ops", "--json")).stdout)).toEqual({
    name: "ops",
    status: "failed",
    http_status: 500,
    cause: "answered 500",
  });
});

it("says that there is no hook of another name", async () => {
  const { admin, run } = await open();
  for (const [path, init] of [
    ["/hooks/other/dead", {}],
    ["/hooks/other/test", post()],
    ["/hooks/other/replay", post({})],
  ] as const)
    expect((await admin.ask(path, init)).status, path).toBe(404);
  expect((await run("test", "other")).stderr).toContain("There is no hook of this name");
});
