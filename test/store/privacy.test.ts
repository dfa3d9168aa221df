import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openInlineStore } from "../../src/store/sqlite/inline.ts";
import { openToOthers } from "../../src/store/sqlite/privacy.ts";
import { anOffer } from "../contract/store.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { aFolder } from "./folder.ts";

let folder: ReturnType<typeof aFolder>;
let data: string;
let file: string;
let lines: string[];
beforeEach(() => {
  folder = aFolder("memory");
  data = join(folder.path, "data");
  file = join(data, "parley.db");
  lines = [];
});
afterEach(() => folder.remove());

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
const open = () =>
  openInlineStore({
    file,
    clock: new FakeClock(),
    limits: { waitingPerLaneMax: 10, waitingMax: 100 },
    log(line) {
      if (!/tmpfs|new database/.test(line)) lines.push(line);
    },
  });

it("a database, its log, a copy, a spool, the developers' key and a folder that were open to others are closed, and that is said", async () => {
  const first = await open();
  await first.inbox.accept(anOffer(anEvent()));
  first.crash();
  const others = ["parley.db.v1", "spool-0.db", "spool-0.owner", "dev-key"];
  for (const name of others) writeFileSync(join(data, name), "");
  const names = ["parley.db", "parley.db-wal", ...others];
  for (const name of names) chmodSync(join(data, name), 0o644);
  chmodSync(data, 0o777);
  expect(openToOthers(file)).toHaveLength(7);
  const store = await open();
  await store.inbox.accept(anOffer(anEvent({ id: "b" })));
  expect(mode(data)).toBe("700");
  expect(names.map((name) => mode(join(data, name)))).toEqual(names.map(() => "600"));
  expect(lines).toHaveLength(7);
  expect(lines.join("\n")).toContain("had mode 0777");
  await store[Symbol.asyncDispose]();
});

it("a folder that others use as well is left, and warned of only where they may write", async () => {
  mkdirSync(data);
  writeFileSync(join(data, "theirs.txt"), "");
  chmodSync(join(data, "theirs.txt"), 0o644);
  chmodSync(data, 0o755);
  await (await open())[Symbol.asyncDispose]();
  expect(lines).toEqual([]);
  chmodSync(data, 0o777);
  await (await open())[Symbol.asyncDispose]();
  expect(lines).toEqual([expect.stringContaining("others may replace the database")]);
  expect([mode(data), mode(join(data, "theirs.txt"))]).toEqual(["777", "644"]);
});
