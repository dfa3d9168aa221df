import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Of all links in this page to files of the repository: those whose file or heading is not there. */
export function brokenLinks(page: string): readonly string[] {
  const links = readFileSync(page, "utf8").matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g);
  return [...links].flatMap(([link, path = "", anchor]) => {
    const file = path === "" ? page : join(dirname(page), path);
    if (!existsSync(file)) return [link];
    return anchor === undefined || anchorsIn(file).includes(anchor) ? [] : [link];
  });
}

/** As the usual renderers make them. */
function anchorsIn(file: string): readonly string[] {
  const headings = readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
