import { describe, expect, it } from "vitest";
import { fileName, fileType } from "../../src/domain/file-name.ts";

describe("the name of a file that goes out", () => {
  it.each([
    ["chart.png", "image/png", "chart.png"],
    ["chart", "image/png", "chart.png"],
    ["photo.jpeg", "image/jpeg", "photo.jpeg"],
    ["photo.png", "image/jpeg", "photo.png.jpg"],
    ["../../etc/passwd", "text/plain", "passwd"],
    ["C:\\temp\\a b.txt", "text/plain", "a b.txt"],
    ["..", "text/plain", "file"],
    ["", "application/octet-stream", "file"],
    ["a\u202egnp.exe", "application/octet-stream", "agnp.exe"],
    ["x\n`y`\u0000.md", "text/markdown", "x y.md"],
    ["answer.md", "text/markdown", "answer-2.md"],
    ["code-3.py", "text/x-python", "code-3-2.py"],
    ["a".repeat(300), "application/pdf", `${"a".repeat(100)}.pdf`],
  ])("%j of type %s is %j", (given, mime, name) => {
    expect(fileName(given, mime, [])).toBe(name);
  });

  it("is like none that is taken, however that is written", () => {
    expect(fileName("Chart.png", "image/png", ["chart.png", "chart-2.PNG"])).toBe("Chart-3.png");
  });

  it("never holds half a character", () => {
    expect(fileName(`${"a".repeat(99)}😀😀.txt`, "text/plain", []).isWellFormed()).toBe(true);
  });

  it.each([
    ["text/csv; charset=utf-8", "text/csv"],
    ["IMAGE/PNG", "image/png"],
    [undefined, "application/octet-stream"],
    ["nonsense", "application/octet-stream"],
    ["text/html\r\nx: y", "application/octet-stream"],
  ])("a type given as %j is %s", (given, type) => {
    expect(fileType(given)).toBe(type);
  });
});
