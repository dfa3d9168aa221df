import type { FileView, FileViews, PdfView } from "../domain/attachment.ts";
import { type Agent, modelsOf } from "./agent.ts";
import { REFERENCE_SHARE } from "./bounds.ts";
import { PAGE_TOKENS } from "./tokens.ts";

/**
 * The files as this agent can be shown them: of PDFs those that each of its models reads, and that its budgets have room
 * for. The others are named, for a run should not end for want of what nobody asked it to read.
 */
export function readablePdfs(files: FileViews | undefined, agent: Agent): FileViews | undefined {
  if (files === undefined || ![...files.values()].some(({ kind }) => kind === "pdf")) return files;
  const { limits } = agent;
  const models = modelsOf(agent);
  const areRead = models.every(({ readsPdfs }) => readsPdfs);
  const fits = (pdfs: readonly PdfView[]) => {
    const pages = pdfs.reduce((sum, pdf) => sum + pdf.pages, 0);
    const messages = [{ role: "user" as const, text: "", pdfs }];
    const prompt = { system: "", messages, tools: [], maxTokens: limits.maxTokens };
    return (
      pages * PAGE_TOKENS <= limits.tokensMax * REFERENCE_SHARE &&
      models.every((one) => one.costCeilingCents(prompt) <= limits.costCentsMax)
    );
  };
  const taken: PdfView[] = [];
  const readable = new Map<string, FileView>();
  for (const [id, view] of files) {
    if (view.kind !== "pdf") readable.set(id, view);
    else if (areRead && fits([...taken, view])) {
      taken.push(view);
      readable.set(id, view);
    } else if (areRead) {
      const pages = `${view.pages} ${view.pages === 1 ? "page" : "pages"}`;
      readable.set(id, {
        kind: "unread",
        why: `with ${pages} it takes more than the budgets of a run have room for`,
      });
    }
  }
  return readable;
}
