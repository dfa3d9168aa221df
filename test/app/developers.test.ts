import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MODULES } from "../../adapters/index.ts";
import { developersOf, leaveDevKey, readDevKey } from "../../src/app/developers.ts";
import { readEnvironment } from "../../src/config/environment.ts";
import { emptyFolder } from "../cli/helpers.ts";

const KEY = "abcdefghijklmnopqrstuvwxyz_-0123";
const environmentOf = (env: Readonly<Record<string, string>>, cwd = emptyFolder()) =>
  readEnvironment(env, cwd, MODULES).environment;

describe("the test webhook", () => {
  it.each(["127.0.0.1", "127.8.9.1", "localhost", "::1", "[::1]", "::ffff:127.0.0.1"])(
    "is open to this machine on %s where there is nothing to lose",
    (host) => {
      expect(developersOf(environmentOf({ PARLEY_HOST: host })).open).toBe(true);
    },
  );

  it.each(["0.0.0.0", "::", "10.0.0.1", "127.example", "localhost.example", "128.0.0.1"])(
    "is not on %s",
    (host) => {
      expect(developersOf(environmentOf({ PARLEY_HOST: host })).open).toBe(false);
    },
  );
});

describe("a key that was made", () => {
  it("is read back by whoever knows the folder, and takes the place of the one before it", () => {
    const environment = environmentOf({});
    expect(developersOf(environment)).toEqual({ open: true, key: null, file: null });
    leaveDevKey(environment, () => "an-earlier-key-of-another-start-00");
    leaveDevKey(environment, () => KEY);
    expect(readDevKey(environment.dataDir)?.reveal()).toBe(KEY);
    const { key, file } = developersOf(environment);
    expect([key?.reveal(), file]).toEqual([KEY, join(environment.dataDir, "dev-key")]);
    expect(readdirSync(environment.dataDir)).toEqual(["dev-key"]);
    expect(statSync(environment.dataDir).mode & 0o777).toBe(0o700);
  });

  it("is private, whatever lay there", () => {
    const environment = environmentOf({});
    mkdirSync(environment.dataDir);
    for (const name of ["dev-key", "dev-key.new"])
      writeFileSync(join(environment.dataDir, name), "old", { mode: 0o666 });
    leaveDevKey(environment, () => KEY);
    expect(statSync(join(environment.dataDir, "dev-key")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(environment.dataDir, "dev-key"), "utf8")).toBe(`${KEY}\n`);
  });

  it("is not made beside one of the operator's", () => {
    const environment = environmentOf({ PARLEY_DEV_KEY: "the-operators-own-key" });
    leaveDevKey(environment, () => KEY);
    expect(readDevKey(environment.dataDir)).toBe(null);
    expect(developersOf(environment)).toMatchObject({ file: null });
    expect(developersOf(environment).key?.reveal()).toBe("the-operators-own-key");
  });

  it.each(["", "short", "x".repeat(65), `${KEY} ${KEY}`, "\u00e9".repeat(40)])(
    "is none when the file holds %j",
    (text) => {
      const { dataDir } = environmentOf({});
      mkdirSync(dataDir);
      writeFileSync(join(dataDir, "dev-key"), text);
      expect(readDevKey(dataDir)).toBe(null);
    },
  );

  it("is none, and nothing breaks, where the folder cannot be made", () => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, "data"), "a file");
    const environment = environmentOf({}, cwd);
    leaveDevKey(environment, () => KEY);
    expect(developersOf(environment)).toEqual({ open: true, key: null, file: null });
  });
});
