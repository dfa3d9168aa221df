import type { ApprovalView } from "../../admin/approvals.ts";
import { fill, h, paragraphs, told } from "./dom.ts";
import { Listed } from "./listing.ts";
import { badge, button, confirm, empty, facts, messageOf, select } from "./parts.ts";
import type { View } from "./view.ts";
import { ago, span } from "./words.ts";

interface ApprovalPage {
  readonly approvals: readonly ApprovalView[];
  readonly next: string | null;
}

export const approvals: View = {
  name: "approvals",
  title: "Approvals",
  isForOperators: true,
  open(into, context) {
    const { api, signal, say } = context;
    const list = h("div", { class: "cards" });
    let state = "waiting";
    const which = select(
      "Show",
      [
        ["waiting", "those that wait"],
        ["decided", "those that are decided"],
      ],
      (value) => {
        state = value;
        listed.again();
      },
    );
    const listed = new Listed<ApprovalView>(context, {
      list,
      async page(cursor) {
        const { approvals: items, next } = await api.get<ApprovalPage>("/approvals", {
          signal,
          query: { state, cursor },
        });
        return { items, next };
      },
      idOf: ({ id }) => id,
      markOf: (approval) => `${approval.state} ${approval.decisions.length}`,
      row: one,
      none: () => nothing(state === "waiting"),
    });
    fill(into, h("div", { class: "bar" }, which.field), list, listed.below);

    function one(approval: ApprovalView): HTMLElement {
      const {
        id,
        tool,
        agent,
        question,
        asked_by: by,
        asked_at: at,
        effect,
        conversation,
        event_id: event,
      } = approval;
      const left = (Date.parse(approval.expires_at) - Date.now()) / 1000;
      const isWaiting = approval.state === "waiting";
      return h(
        "article",
        { class: "card", "aria-labelledby": id },
        h("h2", { id }, badge(approval.state), " ", told(tool)),
        paragraphs(question, { class: "quote" }),
        facts([
          ["Agent", told(agent)],
          ["Does at most", effect === null ? null : told(effect)],
          ["Asked for", told(`${by.name}, ${ago(at)}`)],
          ["Where", told(conversation, { class: "code" })],
          ["Ends", isWaiting ? `in ${span(left)}` : null],
          ["Decided", isWaiting ? null : decided(approval)],
        ]),
        h(
          "div",
          { class: "actions" },
          ...(isWaiting ? choices(approval) : []),
          h("a", { class: "more", href: `#/event/${encodeURIComponent(event)}` }, "What it is about"),
        ),
      );
    }

    function choices(approval: ApprovalView): HTMLElement[] {
      const { choices: own } = approval;
      const yes =
        own === null
          ? [button("Approve", () => void decide(approval), "main")]
          : own.map((text, i) =>
              button(told(text).textContent ?? "", () => void decide(approval, i + 1), "main"),
            );
      return [...yes, button("Deny", () => void deny(approval), "danger")];
    }

    async function decide({ id, tool, needs }: ApprovalView, choice?: number): Promise<void> {
      const others = needs > 1 ? ` ${needs} people have to approve; this is one of them.` : "";
      const question = {
        title: `Let the agent use ${tool}?`,
        text: `It goes on at once.${others}`,
        act: "Approve",
      };
      if ((await confirm(question)) === null) return;
      await cast(id, { verdict: "approved", ...(choice !== undefined && { choice }) });
    }

    async function deny({ id, tool }: ApprovalView): Promise<void> {
      const answer = await confirm({
        ...{
          title: `Deny the use of ${tool}?`,
          text: "The model is told, and goes on without it.",
          act: "Deny",
        },
        ...{ isDangerous: true, field: "Reason, told to the model and in the conversation (optional)" },
      });
      if (answer === null) return;
      await cast(id, { verdict: "denied", ...(answer.words !== "" && { reason: answer.words }) });
    }

    async function cast(id: string, body: object): Promise<void> {
      await api.send<{ state: string }>("POST", `/approvals/${encodeURIComponent(id)}`, body).then(
        (answer) =>
          say(
            answer.state === "waiting" ? "It counts; others have to approve, too." : `It is ${answer.state}.`,
            "good",
          ),
        (error: unknown) => say(messageOf(error), "bad"),
      );
      listed.now();
    }
  },
};

function decided({ decisions }: ApprovalView): HTMLElement | string {
  const last = decisions.at(-1);
  if (last === undefined) return "without anybody";
  const by = last.by === null ? "nobody" : last.by.name;
  return told(`${last.verdict} by ${by}${last.reason === null ? "" : `: ${last.reason}`}`);
}

function nothing(isWaiting: boolean): HTMLElement {
  return isWaiting
    ? empty(
        "Nothing waits for a person",
        "Before a tool that needs an approval is used, it is asked here and in the chat.",
      )
    : empty(
        "Nothing was decided yet",
        "What people approve and deny is listed here as long as its event is kept.",
      );
}
