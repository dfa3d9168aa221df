/** A line for operators, in a chat of theirs: ids and figures, and nobody's words. `data`: as docs/hooks.md has it. */
export function happenedText(type: string, data: Readonly<Record<string, unknown>>): string {
  const of = (name: string) => code(wordOf(data[name]));
  switch (type) {
    case "approval.requested":
      return `Agent ${of("agent")} waits for an approval of ${of("tool")}, asked for by ${of("user")} in ${where(data)}: ${of("approval_id")}, until ${wordOf(data.expires_at)}.`;
    case "approval.decided":
      return `What agent ${of("agent")} wants to do with ${of("tool")} is ${wordOf(data.verdict)} (${of("approval_id")})${by(data)}.`;
    case "event.dead":
      return `A message in ${where(data)} could not be answered: ${of("cause")}. It is a dead letter: ${of("event_id")}.`;
    case "budget.warning":
      return `Of today's budget of ${wordOf(data.scope)} ${of("id")} ${cents(data.spent_cents)} of ${cents(data.limit_cents)} are spent.`;
    case "breaker.opened":
      return `The ${wordOf(data.kind)} ${of("name")} keeps failing and is left alone for a while: ${of("cause")}.`;
    case "breaker.closed":
      return `The ${wordOf(data.kind)} ${of("name")} is well again.`;
    case "model.refused":
      return `The model ${of("name")} refuses our key, account or model (${of("code")}): nobody is answered until somebody sees to it.`;
    case "run.finished":
      return `Agent ${of("agent")} has ended its run in ${where(data)}: ${wordOf(data.outcome)} (${of("event_id")}).`;
    case "hook.test":
      return "This tries whether operators can be told something here. Nothing has happened.";
    default:
      return `Something has happened: ${code(type)}.`;
  }
}

function where(data: Readonly<Record<string, unknown>>): string {
  return code([data.platform, data.tenant, data.channel].map(wordOf).join(":"));
}

function by({ decided_by }: Readonly<Record<string, unknown>>): string {
  const names = Array.isArray(decided_by) ? decided_by.slice(0, 10).map(wordOf) : [];
  return names.length === 0 ? "" : ` by ${names.map(code).join(", ")}`;
}

function cents(value: unknown): string {
  return typeof value === "number" ? `${Math.round(value * 100) / 100} cents` : "?";
}

/** On one line, and nothing in it ends it. */
function code(word: string): string {
  return `\`${word.replaceAll(/[`\s\p{C}]+/gu, " ").trim() || "?"}\``;
}

const WORD_CHARS_MAX = 300;

function wordOf(value: unknown): string {
  const word = typeof value === "string" || typeof value === "number" ? String(value) : "?";
  return word.slice(0, WORD_CHARS_MAX).toWellFormed();
}
