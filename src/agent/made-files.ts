import { isSent, type MadeFile } from "../domain/made-file.ts";
import type { Step } from "../domain/run.ts";
import type { Hold } from "../ports/agent.ts";
import type { FoundFile, LeftFile } from "../ports/tool.ts";
import type { Collected } from "./collect.ts";
import type { ModelStep } from "./progress.ts";
import type { CallResult, ToolResult } from "./tool-call.ts";
import { withinRecord } from "./tool-pictures.ts";
import { ourLine, quotedLabel } from "./voice.ts";

/** A result as the run records it: its files are kept by then, and the model is told what becomes of them. */
export async function recordable(
  { files: found = [], ...given }: CallResult,
  steps: readonly Step[],
  hold: Pick<Hold, "keepFile">,
): Promise<ToolResult & { readonly files?: readonly MadeFile[] }> {
  const seen = withinRecord(given, steps);
  const { keepFile } = hold;
  if (found.length === 0 || keepFile === undefined) return seen;
  const files = await inTurn(found, keepFile);
  const notes = files.map((file) => `\n${ourLine(noteOn(file))}`);
  return { ...seen, result: seen.result + notes.join(""), files };
}

/** An answer as the run records it. Of whoever has made its files nothing more is heard: people alone are told. */
export async function withFilesKept(
  { step, files: found }: Collected,
  { keepFile }: Pick<Hold, "keepFile">,
): Promise<ModelStep> {
  if (found.length === 0 || keepFile === undefined) return step;
  return { ...step, files: await inTurn(found, keepFile) };
}

/** Each may count on what those before it have left. */
async function inTurn(
  found: readonly (FoundFile | LeftFile)[],
  keep: NonNullable<Hold["keepFile"]>,
): Promise<readonly MadeFile[]> {
  const files: MadeFile[] = [];
  for (const file of found) files.push(await keep(file));
  return files;
}

function noteOn(file: MadeFile): string {
  const name = quotedLabel(file.name);
  return isSent(file)
    ? `the file ${name} is sent to the person together with your answer`
    : `the file ${name} could not be sent: ${file.why}; the person is told`;
}
