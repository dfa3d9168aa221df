import { describe, expect, it } from "vitest";
import { widthOf } from "../../src/cli/printable.ts";
import { type Row, table } from "../../src/cli/table.ts";

const HEAD: Row = { cells: ["DIED", "KIND"], story: "CAUSE", id: "ID" };

function linesOf(...rows: Row[]): string[] {
  const lines = table(HEAD, rows).split("\n");
  expect(lines.pop()).toBe("");
  expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(100);
  return lines;
}

describe("a table", () => {
  it("is as narrow as it can be", () => {
    expect(
      linesOf(
        { cells: ["3m", "inbound"], story: "it failed", id: "slack:1" },
        { cells: ["12d", "outbound"], story: "", id: "slack:22" },
      ),
    ).toEqual([
      "DIED  KIND      CAUSE      ID",
      "3m    inbound   it failed  slack:1",
      "12d   outbound             slack:22",
    ]);
  });

  it("cuts the story, so that ids stay whole", () => {
    const id = "slack:T024BE7LD:C061EG9SL:1717171717.000100";
    const [, line] = linesOf({ cells: ["3m", "inbound"], story: "because ".repeat(20), id });
    expect(line).toMatch(/^3m {4}inbound {2}because .*… +slack:T024BE7LD:C061EG9SL:1717171717\.000100$/);
  });

  it("puts the story on a line of its own where long ids leave no room", () => {
    const id = `whatsapp:PN1:wamid.${"x".repeat(58)}`;
    expect(linesOf({ cells: ["3m", "inbound"], story: "because ".repeat(20), id })).toEqual([
      "DIED  KIND     ID",
      `3m    inbound  ${id}`,
      expect.stringMatching(/^ {2}because .*…$/),
    ]);
    expect(linesOf({ cells: ["3m", "inbound"], story: "", id })).toHaveLength(2);
  });

  it("puts stories that would be cut off on lines of their own, where they are to be whole", () => {
    const ofStory = (story: string) =>
      table(HEAD, [{ cells: ["3m", "inbound"], story, id: "test:1" }], { isWhole: true }).split("\n");
    expect(ofStory("because ".repeat(9))[1]).toMatch(/^3m {4}inbound {2}(because ){9} *test:1$/);
    expect(ofStory("because ".repeat(10))).toHaveLength(4);
  });

  it("fits even with an id that is too long, and with wide letters", () => {
    linesOf({ cells: ["3m", "inbound"], story: "日本語".repeat(50), id: `test:${"x".repeat(200)}` });
    linesOf({ cells: ["3m", "inbound"], story: "日本語".repeat(50), id: "test:🎉" });
  });

  it("shows control characters, and does not obey them", () => {
    const [, line] = linesOf({ cells: ["3m", "inbound"], story: "\u001b[2J\n", id: "test:\u0007" });
    expect(line).toBe("3m    inbound  \\u{1b}[2J\\n  test:\\u{7}");
  });

  it("can be longer than a call can have arguments", () => {
    const row = { cells: ["", ""], story: "", id: "" };
    expect(table(HEAD, Array(200_000).fill(row)).split("\n")).toHaveLength(200_002);
  });
});
