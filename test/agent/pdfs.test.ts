import { describe, expect, it } from "vitest";
import { promptFor } from "../../src/agent/prompt.ts";
import type { FileView, FileViews } from "../../src/domain/attachment.ts";
import type { Turn } from "../../src/domain/run.ts";
import type { Prompt } from "../../src/ports/model.ts";
import { agentOf, eventOf, type FakeModel, fakeModel } from "./support.ts";

const attachments = ["1", "2"].map((id) => {
  return { id, kind: "document" as const, name: `${id}.pdf`, mime: null, sizeBytes: null };
});
const pdf = (pages: number): FileView => {
  return { kind: "pdf", name: "x.pdf", bytes: 1, pages, base64: () => "" };
};
const pagesIn = ({ messages }: Pick<Prompt, "messages">): number[] =>
  messages.flatMap((message) => ("pdfs" in message ? (message.pdfs ?? []) : [])).map(({ pages }) => pages);
const reading = (ceilingCents: (asked: Prompt) => number = () => 0): FakeModel => {
  return { ...fakeModel([], { ceilingCents }), readsPdfs: true };
};

function prompt(
  sizes: readonly number[],
  models: { model: FakeModel; fallbacks?: readonly FakeModel[] },
  more: { tokensMax?: number; costCentsMax?: number; history?: Turn[] } = {},
) {
  const { history = [], ...limits } = more;
  const agent = { ...agentOf(models.model, { limits }), ...models };
  const files: FileViews = new Map(sizes.map((pages, index) => [String(index + 1), pdf(pages)]));
  const event = eventOf("see", { attachments: attachments.slice(0, sizes.length) });
  return promptFor({ id: "r", agent: "a", event, history, steps: [], startedAtMs: 0, files }, agent, []);
}
const textOf = ({ messages }: Pick<Prompt, "messages">) => JSON.stringify(messages);

describe("the PDFs of a prompt", () => {
  it("are named, and no more, where the model or one of its fallbacks reads none", () => {
    for (const models of [
      { model: fakeModel([]) },
      { model: reading(), fallbacks: [reading(), fakeModel([])] },
    ]) {
      const said = prompt([1], models);
      expect(pagesIn(said)).toEqual([]);
      expect(textOf(said)).toContain('⟦attached document \\"1.pdf\\"⟧');
    }
    expect(pagesIn(prompt([1], { model: reading(), fallbacks: [reading()] }))).toEqual([1]);
  });

  it("are those that the tokens of a run have room for, and of the others the model is told why not", () => {
    const said = prompt([2, 1], { model: reading() }, { tokensMax: 10_000 });
    expect(pagesIn(said)).toEqual([2]);
    const why = "could not be read: with 1 page it takes more than the budgets of a run have room for";
    expect(textOf(said)).toContain(why);
    expect(pagesIn(prompt([2, 1], { model: reading() }, { tokensMax: 13_000 }))).toEqual([2, 1]);
    expect(pagesIn(prompt([60, 40], { model: reading() }, { tokensMax: Infinity }))).toEqual([60, 40]);
  });

  it("are those that the money of a run has room for", () => {
    const model = reading((asked) => pagesIn(asked).reduce((sum, pages) => sum + pages, 0));
    expect(pagesIn(prompt([6, 5], { model }, { costCentsMax: 10, tokensMax: Infinity }))).toEqual([6]);
    expect(pagesIn(prompt([6, 4], { model }, { costCentsMax: 10, tokensMax: Infinity }))).toEqual([6, 4]);
  });

  it("leave memory its room where no budget says otherwise", () => {
    const history: Turn[] = [{ role: "user", name: null, text: "before that", atMs: 0 }];
    const said = prompt([100], { model: reading() }, { tokensMax: Infinity, history });
    expect(pagesIn(said)).toEqual([100]);
    expect(textOf(said)).toContain("before that");
  });
});
