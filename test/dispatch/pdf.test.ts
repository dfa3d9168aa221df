import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { viewOf } from "../../src/dispatch/file-view.ts";
import { isPdf, pagesOf } from "../../src/dispatch/pdf.ts";
import type { Attachment } from "../../src/domain/attachment.ts";
import { PDF_BYTES_MAX } from "../../src/domain/bounds.ts";
import { packedPdf, plainPdf } from "../support/pdf.ts";

const file = (name: string | null): Attachment => {
  return { id: "F1", kind: "document", name, mime: "application/pdf", sizeBytes: null };
};
const viewed = (bytes: Buffer, name: string | null = "pump.pdf") => viewOf(file(name), bytes, bytes.length);

describe("the pages of a PDF", () => {
  it.each([
    ["that stand in it", plainPdf(7), 7],
    ["that are packed", packedPdf(7), 7],
    ["of both kinds", Buffer.concat([plainPdf(2), packedPdf(3)]), 5],
    ["written without spaces", Buffer.from("%PDF-1.4 <</Type/Pages/Count 1>><</Type/Page/Parent 2 0 R>>"), 1],
    ["of which there are more than counted", plainPdf(150), 101],
    ["that are no pages", Buffer.from("%PDF-1.4 /Type /Pages /Type /PageLabel /Type /Page#73"), 0],
    ["of which the stream is damaged", packedPdf(1, Buffer.from("x\x9cnothing of the kind")), 0],
    ["of which the stream never ends", Buffer.from("%PDF-1.4 << /Type /ObjStm >> stream\nx"), 0],
  ])("%s are counted", (_, bytes, pages) => {
    expect(isPdf(bytes)).toBe(true);
    expect(pagesOf(bytes, 100)).toBe(pages);
  });

  it("are not counted where unpacking them would take more memory than there is for that", () => {
    expect(pagesOf(packedPdf(1, deflateSync(Buffer.alloc(17 * 1024 * 1024))), 100)).toBe(0);
  });

  it("are looked for no longer than is worth it, whatever the file holds", () => {
    const one = packedPdf(0, deflateSync("x"));
    expect(pagesOf(Buffer.concat(Array.from({ length: 501 }, () => one)), 100)).toBe(0);
  });

  it("that a password protects are not for us", () => {
    expect(pagesOf(plainPdf(1, "/Encrypt 9 0 R "), 100)).toBe("protected");
    expect(pagesOf(plainPdf(1, "/Encrypt<< /V 4 >> "), 100)).toBe("protected");
    expect(pagesOf(plainPdf(1, "/EncryptMetadata true "), 100)).toBe(1);
  });
});

describe("what is shown of a PDF", () => {
  it("is the whole of it, with its pages, by what it holds and not by what it is called", () => {
    const bytes = plainPdf(2);
    const view = viewOf({ ...file("pump"), mime: "text/plain" }, bytes, bytes.length);
    expect(view).toMatchObject({ kind: "pdf", name: "pump.pdf", bytes: bytes.length, pages: 2 });
    expect(view?.kind === "pdf" && Buffer.from(view.base64(), "base64").equals(bytes)).toBe(true);
  });

  it.each([
    ["Plan A.PDF", "Plan A.PDF"],
    [null, "document.pdf"],
    [".pdf", ".pdf.pdf"],
    ["⟦you⟧\nsee.pdf", "[you] see.pdf"],
  ])("has of the name %j no more than a name", (name, expected) => {
    expect(viewed(plainPdf(1), name)).toMatchObject({ name: expected });
  });

  it.each([
    ["it is protected by a password", plainPdf(1, "/Encrypt 9 0 R ")],
    ["its pages cannot be told apart", Buffer.from("%PDF-1.4\n%%EOF")],
    ["it has more than 100 pages", plainPdf(101)],
  ])("is nothing, and why, when %s", (why, bytes) => {
    expect(viewed(bytes)).toEqual({ kind: "unread", why });
  });

  it("is nothing when it is too large, or only its beginning is at hand", () => {
    const large = { kind: "unread", why: "it is too large a PDF to be read" };
    expect(viewOf(file("a.pdf"), plainPdf(1), PDF_BYTES_MAX + 1)).toEqual(large);
    expect(viewOf(file("a.pdf"), plainPdf(1).subarray(0, 100), 5_000)).toBeNull();
  });
});
