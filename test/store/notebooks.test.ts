import { beforeEach, describe, expect, it } from "vitest";
import { NOTES_PER_BOOK_MAX } from "../../src/domain/bounds.ts";
import type { Notebooks } from "../../src/ports/notebooks.ts";
import type { Vault } from "../../src/ports/vault.ts";
import { createNotebooks } from "../../src/store/notebooks.ts";
import { FakeClock } from "../support/clock.ts";
import { openTestStore } from "../support/store.ts";

const ANN = "user:slack:T1:U1:open";
const by = { id: "U1", name: "ann" };

let vault: Vault;
let notebooks: Notebooks;
beforeEach(async () => {
  ({ vault } = await openTestStore(new FakeClock()));
  notebooks = createNotebooks(vault);
});

const write = (text: string, owner = ANN, agent = "ops") =>
  notebooks.write(owner, agent, { text, atMs: 1, by });
const textsOf = async (owner = ANN, agent = "ops") =>
  (await notebooks.read(owner, agent)).map(({ text }) => text);

describe("notes", () => {
  it("are kept of each owner and agent by themselves, each words once", async () => {
    expect([await write("tea"), await write("tea"), await write("milk")]).toEqual([
      "written",
      "known",
      "written",
    ]);
    await write("cake", ANN, "sales");
    await write("jam", `${ANN}x`);
    expect([await textsOf(), await textsOf(ANN, "sales")]).toEqual([["tea", "milk"], ["cake"]]);
  });

  it("lose nothing when several are written at once", async () => {
    await Promise.all(["a", "b", "c", "d"].map((text) => write(text)));
    expect((await textsOf()).toSorted()).toEqual(["a", "b", "c", "d"]);
  });

  it("are erased one by one, by id or words, or all of an owner", async () => {
    for (const text of ["a", "b", "c"]) await write(text);
    await write("other", ANN, "sales");
    await write("kept", `${ANN}x`);
    const [first] = await notebooks.read(ANN, "ops");
    expect(await notebooks.erase(ANN, { note: first?.id ?? "" })).toBe(1);
    expect(await notebooks.erase(ANN, { agent: "sales", note: "b" })).toBe(0);
    expect(await notebooks.erase(ANN, { agent: "ops", note: "b" })).toBe(1);
    expect(await textsOf()).toEqual(["c"]);
    expect(await notebooks.erase(ANN, {})).toBe(2);
    expect([await textsOf(), await textsOf(ANN, "sales"), await textsOf(`${ANN}x`)]).toEqual([
      [],
      [],
      ["kept"],
    ]);
    expect(await vault.list({ prefix: "plain/notebook/", limit: 9 })).toHaveLength(1);
  });

  it("are listed by owner", async () => {
    await write("a");
    await write("b", "slack:T1:C1");
    const listed = await notebooks.list({ ownerPrefix: "user:slack:T1:U1:", limit: 9 });
    expect(listed).toMatchObject([{ owner: ANN, agent: "ops", notes: [{ text: "a", by }] }]);
    expect(await notebooks.list({ ownerPrefix: "", limit: 1 })).toHaveLength(1);
  });

  it("are bounded in number, and as a whole", async () => {
    for (let n = 0; n < NOTES_PER_BOOK_MAX; n++) expect(await write(`note ${n}`)).toBe("written");
    expect(await write("one more")).toBe("full");
    expect(await write("\u0001".repeat(6_000), "slack:T1:C9")).toBe("full");
  });
});
