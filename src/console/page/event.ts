import type { Explanation } from "../../admin/explain.ts";
import type { EventDetail, StepView } from "../../admin/schemas.ts";
import { fill, h, paragraphs, refill, told } from "./dom.ts";
import { badge, button, card, confirm, facts, loading, messageOf, trouble } from "./parts.ts";
import { type Context, keepShown, type View } from "./view.ts";
import { ago, count, dayOf, dollars, plural, timeOf } from "./words.ts";

const ENDED = ["done", "dropped", "dead"];

export const event: View = {
  name: "event",
  title: "Event",
  isForOperators: true,
  open(into, context) {
    const { api, signal, parameter: id } = context;
    const path = encodeURIComponent(id);
    fill(into, loading());
    let shown = "";
    keepShown(context, async () => {
      try {
        const [found, explained] = await Promise.all([
          api.get<EventDetail>(`/events/${path}`, { signal }),
          api.get<Explanation>(`/explain/${path}`, { signal }).catch(() => null),
        ]);
        // Whoever reads it is not disturbed by what is the same.
        const next = JSON.stringify([found, explained]);
        if (next !== shown) refill(into, ...parts(found, explained, context));
        shown = next;
      } catch (error) {
        shown = "";
        if (!signal.aborted) fill(into, back(), trouble(error));
      }
    });
  },
};

function back(): HTMLElement {
  return h("p", {}, h("a", { class: "back", href: "#/events" }, "All events"));
}

function parts(found: EventDetail, explained: Explanation | null, context: Context): HTMLElement[] {
  const { id, state, platform, tenant, place, sender, trigger, agent, attempts, text, progress } = found;
  const answer = progress?.answer ?? null;
  const said = h(
    "div",
    { class: "heads" },
    badge(state),
    told(id, { class: "code" }),
    ENDED.includes(state) && button("Replay", () => void replay(found, context)),
  );
  return [
    back(),
    said,
    ...(explained === null ? [] : [h("p", { class: "notice" }, told(explained.words))]),
    card(
      "Message",
      paragraphs(text === "" ? "(no text)" : text, { class: "quote" }),
      facts([
        ["From", told(`${sender.name} (${sender.id})`)],
        ["Where", told([platform, tenant, place].join(" · "))],
        ["How", told(trigger)],
        ["Conversation", told(found.conversation, { class: "code" })],
        [
          "Files",
          found.attachments.length === 0
            ? null
            : told(found.attachments.map((one) => one.name ?? one.kind).join(", ")),
        ],
      ]),
    ),
    card("Life", h("ol", { class: "life" }, ...life(found))),
    ...(answer === null
      ? []
      : [
          card(
            "Answer",
            paragraphs(answer.text === "" ? "(nothing)" : answer.text, { class: "quote" }),
            facts([
              ["Outcome", badge(answer.outcome)],
              ["Agent", agent === null ? null : told(agent)],
              ["Messages", count(answer.parts)],
              ["Cost", dollars(answer.usage.cost_cents)],
              ["Tokens", `${count(answer.usage.input_tokens)} in, ${count(answer.usage.output_tokens)} out`],
              [
                "Models",
                answer.models.length === 0
                  ? null
                  : told(answer.models.map((one) => `${one.model} × ${one.calls}`).join(", ")),
              ],
              ["Attempts", count(attempts)],
            ]),
          ),
        ]),
  ];
}

/** What happened, oldest first, as far as it is kept. */
function life(found: EventDetail): HTMLElement[] {
  const { progress, replays, feedback, cause, state, accepted_at, updated_at, occurred_at, merged_into } =
    found;
  return [
    moment(occurred_at, "Said", "by the clock of the platform"),
    moment(accepted_at, "Accepted", "kept on disk, and acknowledged"),
    ...replays.map(({ at, by, mode, cause: before }) =>
      moment(at, "Replayed", `by ${by}, ${mode}${before === null ? "" : `; it had ended with: ${before}`}`),
    ),
    ...(progress === null
      ? []
      : [moment(progress.started_at, "Run", [progress.run_id, ...(progress.path ?? [])].join(" · "))]),
    ...(progress?.steps ?? []).map(step),
    ...(merged_into === null ? [] : [moment(null, "Answered with", merged_into)]),
    moment(updated_at, state.charAt(0).toUpperCase() + state.slice(1), cause ?? ago(updated_at)),
    ...feedback.map(({ at, by, rating }) => moment(at, rating === "up" ? "Liked" : "Disliked", `by ${by}`)),
  ];
}

function step(one: StepView): HTMLElement {
  switch (one.kind) {
    case "model": {
      const tools = one.tool_calls.map(({ name, input }) => `${name} ${JSON.stringify(input)}`).join("; ");
      return moment(
        null,
        "Model",
        [one.model ?? "", tools === "" ? one.text : `asks for ${tools}`].filter(Boolean).join(" · "),
      );
    }
    case "model-started":
      return moment(null, "Model asked", `at most ${dollars(one.held_cents)}`);
    case "tool-asked":
      return moment(one.asked_at, "Approval asked", one.question);
    case "tool-voted":
      return moment(one.at, "Approved", `by ${one.by.name}, and others have to`);
    case "tool-decided":
      return moment(
        null,
        one.verdict,
        [one.by === null ? "" : `by ${one.by.name}`, one.reason ?? ""].filter(Boolean).join(": "),
      );
    case "tool-started":
      return moment(null, "Tool begun", one.call_id);
    case "tool":
      return moment(null, one.is_error ? "Tool failed" : "Tool answered", one.result);
    case "agent":
      return moment(null, "Asks an agent", `${one.agent}, ${plural(one.steps, "step")} so far`);
    case "compacted":
      return moment(null, "Memory summed up", `${plural(one.turns, "turn")}`);
    case "joined":
      return moment(null, "Joined", one.event_id);
  }
}

function moment(at: string | null, what: string, words: string): HTMLElement {
  return h(
    "li",
    {},
    at === null
      ? h("span", { class: "when" })
      : h("time", { class: "when", datetime: at, title: dayOf(at) }, timeOf(at)),
    h("span", { class: "what" }, what),
    told(words, { class: "words" }),
  );
}

async function replay({ id, excerpt }: EventDetail, { api, say }: Context): Promise<void> {
  const title = "Run it again?";
  const text = `“${excerpt.slice(0, 80)}” is run anew, and its answer is said whatever was said before.`;
  if ((await confirm({ title, text, act: "Replay" })) === null) return;
  await api.send("POST", `/events/${encodeURIComponent(id)}/replay`).then(
    () => say("It waits for its turn.", "good"),
    (error: unknown) => say(messageOf(error), "bad"),
  );
}
