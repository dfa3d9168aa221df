import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { MODULES } from "../../adapters/index.ts";
import { newValue, retire, rotate } from "../../src/cli/secret-rotation.ts";
import { call, emptyFolder } from "./helpers.ts";

const ADMIN = "0f9b1c55e0a2476c8d3e7a1b2c4d5e6f";
const SIGNING = "8f742231b10e8888abcd99ffeedd85a5";

let folder: string;
beforeEach(() => {
  folder = join(emptyFolder(), "secrets");
  mkdirSync(folder, { mode: 0o700 });
});

function file(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

async function look(env: Record<string, string>) {
  const { code, stdout } = await call(["secrets", "check", "--json"], { env });
  const { secrets } = JSON.parse(stdout) as {
    secrets: { name: string; status: string; findings: string[] }[];
  };
  return { code, stdout, of: (name: string) => secrets.find((one) => one.name === name) };
}

describe("parley secrets check", () => {
  it("says where each secret is and how long it is, and no value", async () => {
    const path = file("admin", `${ADMIN}\n${SIGNING}\n`);
    const env = { PARLEY_ADMIN_TOKEN_FILE: path, SLACK_SIGNING_SECRET: "another-0123456789abcdef-signing" };
    const { code, stdout, of } = await look(env);
    expect(code).toBe(0);
    expect(of("PARLEY_ADMIN_TOKEN")).toEqual({
      ...{ name: "PARLEY_ADMIN_TOKEN", status: "ok", source: "file", path, mode: "0600" },
      ...{ characters: [32, 32], renewable: true, findings: [] },
    });
    expect(of("SLACK_SIGNING_SECRET")).toMatchObject({
      source: "variable",
      characters: [32],
      renewable: false,
    });
    expect(of("REDIS_URL")).toMatchObject({ status: "absent", source: null, characters: [] });
    const shown = await call(["secrets", "check"], { env });
    expect(shown.stdout).toMatch(/ok +2 +32 and 32 +its file +0600 .* PARLEY_ADMIN_TOKEN\n/);
    expect(shown.stdout).not.toContain("REDIS_URL");
    for (const text of [stdout, shown.stdout]) expect(text).not.toMatch(/0f9b1c55|8f742231|0123456789abcdef/);
  });

  it("ends with 1 for what cannot be used, and for a file that others may write", async () => {
    const { code, of } = await look({
      PARLEY_ADMIN_TOKEN: "short",
      SLACK_SIGNING_SECRET_FILE: join(folder, "none"),
      TELEGRAM_WEBHOOK_SECRET_FILE: file("telegram", "telegram-0123456789", 0o666),
    });
    expect(code).toBe(1);
    expect(of("PARLEY_ADMIN_TOKEN")).toMatchObject({
      status: "fail",
      findings: ["expected at least 32 ASCII characters without spaces, got 5 characters"],
    });
    expect(of("SLACK_SIGNING_SECRET")?.findings[0]).toContain("got ENOENT");
    expect(of("TELEGRAM_WEBHOOK_SECRET")?.findings).toEqual([
      "expected a file that its owner alone may write, got mode 0666: chmod 600",
    ]);
  });

  it("warns of what is hardly ever meant: readable by all, a placeholder, one value for two", async () => {
    chmodSync(folder, 0o755);
    const { code, of } = await look({
      PARLEY_ADMIN_TOKEN: ADMIN,
      PARLEY_METRICS_TOKEN: ADMIN,
      PARLEY_DEV_KEY: "changeme-changeme",
      WHATSAPP_APP_SECRET_FILE: file("whatsapp", `${SIGNING}\n${SIGNING}`, 0o644),
    });
    expect(code).toBe(0);
    expect(of("PARLEY_METRICS_TOKEN")?.findings[0]).toContain("PARLEY_ADMIN_TOKEN has the same value");
    expect(of("PARLEY_DEV_KEY")?.findings[0]).toContain("it looks like a placeholder");
    expect(of("WHATSAPP_APP_SECRET")?.findings).toEqual([
      "every user of this machine may read it (mode 0644): chmod 600, or 640 with a group",
      "its two values are the same",
    ]);
  });
});

describe("parley secrets rotate and retire", () => {
  const place = (env: Record<string, string>) => ({ env, cwd: folder, modules: MODULES });

  it("puts a new value before the old one, and ends with the new one alone", async () => {
    const path = file("admin", `${ADMIN}\n`, 0o640);
    const env = { PARLEY_ADMIN_TOKEN_FILE: path };
    const rotated = await call(["secrets", "rotate", "PARLEY_ADMIN_TOKEN", "--generate"], { env });
    expect(rotated).toMatchObject({ code: 0, stdout: "" });
    const [made = "", old] = readFileSync(path, "utf8").trim().split("\n");
    expect([made, old]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), ADMIN]);
    expect(rotated.stderr).toContain("live until parley secrets retire PARLEY_ADMIN_TOKEN");
    expect(rotated.stderr).not.toContain(made);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(await call(["secrets", "retire", "PARLEY_ADMIN_TOKEN"], { env })).toMatchObject({ code: 0 });
    expect(readFileSync(path, "utf8")).toBe(`${made}\n`);
    expect(await call(["secrets", "retire", "PARLEY_ADMIN_TOKEN"], { env })).toMatchObject({ code: 1 });
    expect(readdirSync(folder)).toEqual(["admin"]);
  });

  it("keeps every key that may have sealed something, and no second token where one alone can be used", () => {
    const [first, second] = [
      newValue("PARLEY_ENCRYPTION_KEY", MODULES),
      newValue("PARLEY_ENCRYPTION_KEY", MODULES),
    ];
    const key = file("key", `${first}\n${second}`);
    rotate(
      "PARLEY_ENCRYPTION_KEY",
      newValue("PARLEY_ENCRYPTION_KEY", MODULES),
      place({ PARLEY_ENCRYPTION_KEY_FILE: key }),
    );
    expect(readFileSync(key, "utf8").split("\n").slice(1)).toEqual([first, second, ""]);
    const token = file("token", "xoxb-1");
    rotate("SLACK_BOT_TOKEN", "xoxb-2", place({ SLACK_BOT_TOKEN_FILE: token }));
    expect(readFileSync(token, "utf8")).toBe("xoxb-2\n");
  });

  it.each<[string, string, RegExp]>([
    ["an empty value", "", /expected a value for PARLEY_ADMIN_TOKEN, got nothing/],
    ["one that is refused", "short", /at least 32 ASCII characters .* as value 1; none was changed/],
    ["one that is two", `${SIGNING},${SIGNING}`, /expected one value, or two during a rotation, got 3/],
    ["the one that there is", ADMIN, /expected another value/],
  ])("changes nothing for %s", (_, value, error) => {
    const path = file("admin", ADMIN);
    expect(() => rotate("PARLEY_ADMIN_TOKEN", value, place({ PARLEY_ADMIN_TOKEN_FILE: path }))).toThrow(
      error,
    );
    expect(readFileSync(path, "utf8")).toBe(ADMIN);
  });

  it("changes no secret that is no file of its own", () => {
    expect(() => rotate("PARLEY_PORT", "x", place({}))).toThrow(/expected a secret \(.*, got PARLEY_PORT/);
    expect(() => retire("PARLEY_ADMIN_TOKEN", place({ PARLEY_ADMIN_TOKEN: ADMIN }))).toThrow(
      /PARLEY_ADMIN_TOKEN_FILE to name the file/,
    );
    const link = join(folder, "link");
    symlinkSync(file("there", ADMIN), link);
    expect(() => rotate("PARLEY_ADMIN_TOKEN", SIGNING, place({ PARLEY_ADMIN_TOKEN_FILE: link }))).toThrow(
      /got a link; one that is mounted is changed where it comes from/,
    );
    expect(existsSync(join(folder, "none"))).toBe(false);
    expect(() => newValue("SLACK_SIGNING_SECRET", MODULES)).toThrow(/make it where it comes from/);
  });
});
