import type { EventDetail, LetterDetail, ProgressView, StepView } from "../admin/schemas.ts";
import { paragraph, printable } from "./printable.ts";

/** All there is to know of an event, for a person. */
export function describeEvent(event: EventDetail | LetterDetail): string {
  const { sender, replays, progress } = event;
  const facts: (readonly [string, string | null])[] = [
    ["Id", event.id],
    ["State", "kind" in event ? `${event.state}, ${KINDS[event.kind]}` : event.state],
    ["Cause", event.cause],
    ["Tries", String(event.attempts)],
    ["Conversation", event.conversation],
    ["From", `${sender.name} (${sender.id}), ${event.trigger}${event.is_direct ? ", in private" : ""}`],
    ["Command", event.command],
    ["Agent", progress?.path?.join(" → ") ?? event.agent],
    ["Sent", event.occurred_at],
    ["Accepted", event.accepted_at],
    ["Changed", event.updated_at],
    ...replays.map(
      ({ at, by, mode, cause }) =>
        ["Replayed", `${at} by ${by}, ${MODES[mode]}${cause === null ? "" : `; before: ${cause}`}`] as const,
    ),
    ...event.feedback.map(
      ({ by, rating, at }) =>
        ["Feedback", `${rating === "up" ? "good" : "bad"}, says ${by} at ${at}`] as const,
    ),
    ...event.attachments.map(({ kind, name }) => ["Attachment", `${kind} ${name ?? ""}`.trim()] as const),
    ...(progress === null ? [] : runFacts(progress)),
  ];
  const lines = facts.flatMap(([name, value]) =>
    value === null ? [] : [`${name.padEnd(14)}${printable(value)}`],
  );
  const texts = [
    ["Message", event.text],
    ...(progress?.steps ?? []).map((step) => [`Step: ${step.kind}`, stepText(step)] as const),
    ...(progress?.answer ? [["Answer", progress.answer.text] as const] : []),
  ] as const;
  const blocks = texts.map(([name, text]) => `\n${name}\n${text === "" ? "  (nothing)" : paragraph(text)}`);
  return `${[...lines, ...blocks].join("\n")}\n`;
}

const KINDS = {
  inbound: "inbound: it has no answer",
  outbound: "outbound: its answer could not be said",
} as const;
const MODES = { resume: "to say what was not said", anew: "as a new run" } as const;

function runFacts({ run_id, started_at, steps, answer }: ProgressView): (readonly [string, string])[] {
  const facts: (readonly [string, string])[] = [["Run", `${run_id}, began ${started_at}`]];
  if (answer === null) return [...facts, ["Steps", `${steps.length} done, no answer yet`]];
  const { outcome, parts, usage } = answer;
  const cost = Math.round(usage.cost_cents * 10_000) / 10_000;
  return [
    ...facts,
    [
      "Outcome",
      `${outcome}${answer.cause === null ? "" : `: ${answer.cause}`}; ${parts} message${parts === 1 ? "" : "s"}`,
    ],
    ["Usage", `${usage.input_tokens} tokens in, ${usage.output_tokens} out; ${cost} cents`],
    ...answer.models.map(({ model, calls }): [string, string] => [
      "Model",
      `${model}, ${calls} call${calls === 1 ? "" : "s"}`,
    ]),
  ];
}

function stepText(step: StepView): string {
  switch (step.kind) {
    case "model":
      return [step.text, ...step.tool_calls.map(({ name, input }) => `→ ${name} ${JSON.stringify(input)}`)]
        .filter((line) => line !== "")
        .join("\n");
    case "model-started":
      return `up to ${step.held_cents} cents held`;
    case "tool-asked":
      return `asked ${step.approval_id}, until ${step.expires_at}\n${step.question}`;
    case "tool-voted":
      return `approved by ${step.by.name}; others have to approve as well`;
    case "tool-decided":
      return `${step.verdict} ${step.approval_id}${step.by === null ? "" : ` by ${step.by.name}`}${step.reason === null ? "" : `: ${step.reason}`}`;
    case "compacted":
      return `a summary of ${step.turns} older turns\n${step.text}`;
    case "joined":
      return `from here on also for ${step.event_id}`;
    case "agent":
      return `call ${step.call_id} asks ${step.agent}, ${step.steps} steps so far`;
    case "tool-started":
      return `call ${step.call_id}`;
    case "tool":
      return `call ${step.call_id}${step.is_error ? ", an error" : ""}\n${step.result}`;
  }
}
