import { beforeEach, describe, expect, it } from "vitest";
import { type Admin, openAdmin, TOKEN } from "../support/admin.ts";
import { call } from "./helpers.ts";

let admin: Admin;
let env: Record<string, string>;
let url: string;
beforeEach(async () => {
  admin = await openAdmin();
  url = await admin.listen();
  env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: url };
});

const asked = async (...args: readonly string[]) => await call(["tokens", ...args], { env });
const eventsWith = (token: string) =>
  fetch(`${url}/api/v1/events`, { headers: { authorization: `Bearer ${token}` }, redirect: "error" });

describe("parley tokens", () => {
  it("makes one that opens, prints it alone on stdout, lists it without, and revokes it", async () => {
    const made = await asked("create", "--tenant", "slack:T1", "--name", "wall display", "--expires", "90d");
    expect(made.code).toBe(0);
    const token = made.stdout.trim();
    expect((await eventsWith(token)).status).toBe(200);
    expect(made.stderr).toContain("opens slack:T1 until 2024-02-12T22:13:20.000Z");
    expect(made.stderr).not.toContain(token);

    const listed = await asked("list");
    expect(listed.stdout).toContain("slack:T1");
    expect(listed.stdout).toContain("wall display");
    expect(listed.stdout).not.toContain(token.slice(-43));
    const { tokens } = JSON.parse((await asked("list", "--json")).stdout) as { tokens: { id: string }[] };
    const id = tokens[0]?.id ?? "";

    expect((await asked("revoke", id)).code).toBe(2);
    const revoked = await asked("revoke", id, "--yes");
    expect([revoked.code, revoked.stderr]).toEqual([0, `${id} of slack:T1 is revoked.\n`]);
    expect((await eventsWith(token)).status).toBe(401);
    expect((await asked("list")).stderr).toBe("No tokens.\n");
    expect((await asked("revoke", id, "--yes")).code).toBe(1);
  });

  it("makes what the commands that read take in the place of the operator's", async () => {
    const token = (await asked("create", "--tenant", "slack:T1")).stdout.trim();
    await admin.bury({ id: "slack:own" });
    await admin.bury({ id: "slack:others", tenant: "T2", conversation: "slack:T2:C1" });
    const list = async (key: string, ...more: string[]) =>
      await call(["events", "list", "--json", ...more], { env: { ...env, PARLEY_ADMIN_TOKEN: key } });
    const idsOf = ({ stdout }: { stdout: string }) =>
      (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
    expect(idsOf(await list(token))).toEqual(["slack:own"]);
    expect(idsOf(await list(TOKEN, "--tenant", "slack:T2"))).toEqual(["slack:others"]);
    const refused = await list(token, "--tenant", "slack:T2");
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("slack:T1")]);
    const wrong = await list(TOKEN, "--refused", "--tenant", "slack:T2");
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("got --tenant")]);
  });

  it("prints JSON where it is asked to", async () => {
    const { stdout } = await asked("create", "--tenant", "slack:T1", "--json");
    const made = JSON.parse(stdout) as { id: string; token: string };
    expect(made).toMatchObject({ tenant: "slack:T1", name: "-", expires_at: null });
    const revoked = JSON.parse((await asked("revoke", made.id, "--yes", "--json")).stdout) as object;
    expect(revoked).toMatchObject({ id: made.id, status: "revoked", tenant: "slack:T1" });
  });

  it.each([
    [["create"], 2, "--tenant"],
    [["create", "--tenant", "T1"], 2, "tenant: expected platform:id"],
    [["create", "--tenant", "slack:T1", "--expires", "soon"], 2, "--expires: expected a span"],
    [["create", "--tenant", "slack:T1", "--expires", "1s"], 2, "expires_seconds"],
    [["revoke"], 2, "id"],
  ])("%j ends with %i and says %s", async (args, code, words) => {
    const result = await asked(...args);
    expect([result.code, result.stderr]).toEqual([code, expect.stringContaining(words)]);
  });
});
