import { deflateSync } from "node:zlib";

const HEAD = "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n";
const PAGE = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>";

/** A PDF of so many empty pages whose objects stand in it as they are. */
export function plainPdf(pages: number, trailer = ""): Buffer {
  const kids = Array.from({ length: pages }, (_, index) => `${index + 3} 0 R`);
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Kids [${kids.join(" ")}] /Count ${pages} >>`,
    ...kids.map(() => PAGE),
  ];
  let text = HEAD;
  const offsets = objects.map((object, index) => {
    const at = text.length;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(at).padStart(10, "0")} 00000 n \n`;
  });
  const size = objects.length + 1;
  const table = `xref\n0 ${size}\n0000000000 65535 f \n${offsets.join("")}`;
  const end = `trailer\n<< /Size ${size} /Root 1 0 R ${trailer}>>\nstartxref\n${text.length}\n%%EOF\n`;
  return Buffer.from(text + table + end, "latin1");
}

/** One whose pages are packed in a stream of objects, as newer programs write them; enough of it to count them. */
export function packedPdf(pages: number, packed = deflateSync(PAGE.repeat(pages))): Buffer {
  const dictionary = `<< /Type /ObjStm /N ${pages} /First 0 /Filter /FlateDecode /Length ${packed.length} >>`;
  const head = Buffer.from(`${HEAD}3 0 obj\n${dictionary}\nstream\r\n`, "latin1");
  return Buffer.concat([head, packed, Buffer.from("\r\nendstream\nendobj\n%%EOF\n")]);
}
