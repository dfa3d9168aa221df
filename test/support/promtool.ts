import { execFile } from "node:child_process";
import { toolPath } from "./tools.ts";

/** What `promtool check metrics` says about a scrape; nothing and 0 when it is clean. */
export function promtool(text: string): Promise<{ code: unknown; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(toolPath("promtool"), ["check", "metrics"], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, output: stdout + stderr }),
    );
    child.stdin?.end(text);
  });
}
