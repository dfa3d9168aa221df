import type { PictureView } from "../domain/attachment.ts";
import type { Step, ToolPicture } from "../domain/run.ts";
import { pictureView } from "../shared/picture.ts";
import { RUN_PICTURES_BYTES_MAX } from "./bounds.ts";
import type { ToolResult } from "./tool-call.ts";
import { ourLine } from "./voice.ts";

type ToolStep = Extract<Step, { kind: "tool" }>;

/** With those pictures alone that the record of the run has room for. */
export function withinRecord(given: ToolResult, steps: readonly Step[]): ToolResult {
  const { pictures = [], ...words } = given;
  if (pictures.length === 0) return words;
  let leftBytes = RUN_PICTURES_BYTES_MAX - bytesIn(steps);
  const taken = pictures.filter((picture) => {
    const bytes = bytesOf(picture);
    if (bytes > leftBytes) return false;
    leftBytes -= bytes;
    return true;
  });
  const gone = pictures.length - taken.length;
  const note =
    gone === 0 ? "" : `\n${ourLine(`${gone} of them left out: this run has seen too many images`)}`;
  return { ...words, result: words.result + note, ...(taken.length > 0 && { pictures: taken }) };
}

function bytesIn(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => {
    if (step.kind === "agent") return sum + bytesIn(step.steps);
    const pictures = step.kind === "tool" ? (step.pictures ?? []) : [];
    return sum + pictures.reduce((all, picture) => all + bytesOf(picture), 0);
  }, 0);
}

function bytesOf({ base64 }: ToolPicture): number {
  return Math.floor((base64.length * 3) / 4);
}

/** Those that the next call has room for, the newest first: a run should not end for want of what it saw before. */
export function shownPictures(
  steps: readonly Step[],
  tokensMax: number,
): ReadonlyMap<ToolStep, readonly PictureView[]> {
  const shown = new Map<ToolStep, readonly PictureView[]>();
  let left = tokensMax;
  for (const step of steps.toReversed()) {
    if (step.kind !== "tool" || step.pictures === undefined) continue;
    const views = step.pictures.map((picture) =>
      pictureView(picture.mime, bytesOf(picture), () => picture.base64),
    );
    const tokens = views.reduce((sum, view) => sum + view.tokensMax, 0);
    if (tokens > left) break;
    left -= tokens;
    shown.set(step, views);
  }
  return shown;
}
