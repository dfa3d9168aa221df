import { describe, expect, it } from "vitest";
import { dropFilesOf } from "../../../src/app/privacy/files.ts";
import type { SentFile } from "../../../src/domain/made-file.ts";
import type { Kept } from "../../../src/ports/records.ts";
import { anEvent } from "../../support/event.ts";

const MADE: SentFile = { id: "file_1", name: "chart.png", mime: "image/png", bytes: 3 };
const kept = (progress: object): Kept => ({
  ...{ shelf: "events", key: "1", texts: [JSON.stringify(anEvent()), JSON.stringify(progress)] },
});

async function droppedOf(progress: object, isOwn: boolean): Promise<readonly string[]> {
  const dropped: string[] = [];
  const media = {
    find: async () => ({ sizeBytes: 3, async *read() {} }),
    forget: async (_conversation: string, id?: string) => void dropped.push(id ?? ""),
  };
  await dropFilesOf(kept(progress), (item) => isOwn && item === null, media);
  return dropped;
}

describe("files that tools made for a person", () => {
  it("are deleted with the event, answered or still at work", async () => {
    const id = `${anEvent().id}/made/file_1`;
    expect(await droppedOf({ steps: [], answer: { files: [MADE] } }, true)).toEqual([id]);
    const step = { kind: "tool", callId: "1", result: "", isError: false };
    const steps = [{ ...step, files: [MADE, { name: "b", why: "too large" }] }];
    expect(await droppedOf({ steps, answer: null }, true)).toEqual([id]);
  });

  it("stay where something of somebody else is deleted", async () => {
    expect(await droppedOf({ steps: [], answer: { files: [MADE] } }, false)).toEqual([]);
  });
});
