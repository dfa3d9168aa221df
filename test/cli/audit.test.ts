import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, it } from "vitest";
import { appendAudit } from "../../src/store/audit.ts";
import { openInlineStore } from "../../src/store/sqlite/inline.ts";
import { aDeed } from "../contract/store-audit.ts";
import { type Admin, openAdmin, TOKEN } from "../support/admin.ts";
import { FakeClock } from "../support/clock.ts";
import { call, emptyFolder } from "./helpers.ts";

let count = 0;
const newId = (prefix: string) => `${prefix}_${++count}`;

describe("of a gateway that runs", () => {
  let admin: Admin;
  let env: Record<string, string>;
  beforeEach(async () => {
    admin = await openAdmin();
    env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: await admin.listen() };
  });

  it("lists entries, and nothing that a terminal would obey", async () => {
    expect(await call(["audit", "list"], { env })).toMatchObject({
      ...{ code: 0, stdout: "", stderr: "The audit has no such entry.\n" },
    });
    await appendAudit(admin.store.audit, newId, aDeed({ subject: "a\u001b[2Jb" }));
    await call(["log-level", "debug"], { env });
    const { code, stdout } = await call(["audit", "list"], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^SEQ +AT +ROLE +ACTION +ACTOR AND SUBJECT +HASH\n2 .* log_level\.set .*: log level/,
    );
    expect(stdout).toMatch(/\n1 .* operator +limits\.set +ann@laptop: a\\u\{1b\}\[2Jb +[0-9a-f]{8}\n$/);
    const json = await call(["audit", "list", "--json", "--action", "limits.set"], { env });
    expect(JSON.parse(json.stdout)).toMatchObject([{ seq: 1, subject: "a\u001b[2Jb" }]);
  });

  it("finds it whole, or names the first entry that is not", async () => {
    for (let n = 0; n < 3; n++) await appendAudit(admin.store.audit, newId, aDeed());
    const whole = await call(["audit", "verify"], { env });
    expect(whole).toMatchObject({ code: 0, stderr: "" });
    expect(whole.stdout).toMatch(/^3 entries, 1 to 3: all as they were written\nlast: 3:[0-9a-f]{64}\n$/);
    const known = `2:${"0".repeat(64)}`;
    const broken = await call(["audit", "verify", "--known", known, "--json"], { env });
    expect(broken).toMatchObject({ code: 1, stderr: "" });
    expect(JSON.parse(broken.stdout)).toMatchObject({ ok: false, fault: { seq: 2, what: "changed" } });
    const told = await call(["audit", "verify", "--known", known], { env });
    expect(told).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("entry 2 is not as it was written"),
    });
  });

  it("exits as other commands do", async () => {
    const away = { ...env, PARLEY_URL: "http://127.0.0.1:9" };
    expect((await call(["audit", "verify"], { env: away })).code).toBe(69);
    expect((await call(["audit", "verify", "--known", "2"], { env })).code).toBe(2);
    expect((await call(["audit", "list", "--role", "root"], { env })).code).toBe(2);
    expect((await call(["audit", "list", "--since", "yesterday"], { env })).code).toBe(2);
  });
});

describe("of a data folder", () => {
  async function aFolderWith(entries: number) {
    const folder = emptyFolder();
    const file = join(folder, "parley.db");
    const clock = new FakeClock();
    const open = () => openInlineStore({ file, clock, limits: { waitingPerLaneMax: 9, waitingMax: 9 } });
    const store = await open();
    for (let n = 0; n < entries; n++) await appendAudit(store.audit, newId, aDeed());
    return { folder, file, store };
  }

  it("needs no gateway, also where one was killed, and finds what was changed", async () => {
    const { folder, file, store } = await aFolderWith(3);
    store.crash();
    const whole = await call(["audit", "verify", "--data", folder, "--json"]);
    expect(JSON.parse(whole.stdout)).toMatchObject({ ok: true, entries: 3 });
    const db = new DatabaseSync(file);
    db.exec("UPDATE audit SET body = replace(body, 'ann', 'eve') WHERE seq = 2");
    db.close();
    const broken = await call(["audit", "verify", "--data", folder]);
    expect(broken).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^3 entries, 1 to 3: the first that is not as it was: 2\n/),
    });
  });

  it("says what is in the way", async () => {
    const { folder, store } = await aFolderWith(1);
    const running = await call(["audit", "verify", "--data", folder]);
    expect(running).toMatchObject({ code: 69, stderr: expect.stringContaining("a gateway that runs on it") });
    await store[Symbol.asyncDispose]();
    expect((await call(["audit", "verify", "--data", emptyFolder()])).code).toBe(2);
  });
});
