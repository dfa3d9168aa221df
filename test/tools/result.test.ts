import { describe, expect, it } from "vitest";
import { outputOf } from "../../src/tools/mcp/result.ts";

const png = (bytes: number) =>
  Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(bytes - 8)]).toString("base64");
const image = (data: string, mimeType = "image/png") => ({ type: "image" as const, data, mimeType });

describe("pictures in the result of a tool", () => {
  it("are named in its text, and shown as what their bytes say", () => {
    const blob = { type: "resource" as const, resource: { uri: "file:///shot", blob: png(1_900) } };
    const { text, pictures } = outputOf({ content: [image(png(900), "image/gif"), blob] });
    expect(text).toBe("[image image/gif, 1 kB]\n[resource file:///shot, 2 kB]");
    expect(pictures?.map(({ mime }) => mime)).toEqual(["image/png", "image/png"]);
  });

  it("are no more than names where they are none, too large, or too many", () => {
    const five = Array.from({ length: 5 }, () => image(png(900)));
    const { text, pictures } = outputOf({
      content: [image("aGVsbG8="), image(png(1_100_000)), ...five],
    });
    expect(text.split("\n")).toEqual([
      "[image image/png, 1 kB, which cannot be shown]",
      "[image image/png, 1101 kB, which is too large to be shown]",
      ...Array.from({ length: 4 }, () => "[image image/png, 1 kB]"),
      "[image image/png, 1 kB, one image too many to be shown]",
    ]);
    expect(pictures).toHaveLength(4);
  });

  it("hold nothing but base64, whatever a server writes between", () => {
    const [picture] = outputOf({ content: [image(`${png(8)}\n"}}]`)] }).pictures ?? [];
    expect(picture?.base64).toBe(png(8));
  });
});

describe("files in the result of a tool", () => {
  const content = [
    { type: "text" as const, text: "Done." },
    image(png(900)),
    { type: "audio" as const, data: "aGFsbG8=", mimeType: "audio/mpeg" },
    {
      type: "resource" as const,
      resource: { uri: "file:///tmp/Preise%20%E2%82%AC.csv?v=1", text: "a,b", mimeType: "text/csv" },
    },
    { type: "resource" as const, resource: { uri: "memo://", blob: "aGFsbG8=", mimeType: "image/svg+xml" } },
    { type: "resource_link" as const, uri: "file:///b.txt", name: "b" },
  ];

  it("are what it made beside its words, under the names that it gave", () => {
    const { files = [], text } = outputOf({ content }, true);
    expect(files.map(({ name, mime, data }) => [name, mime, data.length])).toEqual([
      ["image.png", "image/png", 900],
      ["audio.mpeg", "audio/mpeg", 5],
      ["Preise €.csv", "text/csv", 3],
      ["image.svg", "image/svg+xml", 5],
    ]);
    expect(text).toContain("Done.");
  });

  it("are for the model alone where nothing says that they are sent", () => {
    expect(outputOf({ content }).files).toBeUndefined();
  });
});
