/** What of an offer accept.lua decides by: each field's name there, in the order in which it is sent. */
const OFFER = [
  "id",
  "lane",
  "kind",
  "agent",
  "busy",
  "conversation",
  "platform",
  "tenant",
  "sender",
  "refusal",
  "cause",
  "notice_ms",
  "only_known",
  "may_be_told",
  "dedup_ms",
  "lane_max",
  "all_max",
  "came",
  "spooled",
  "limits",
  "aliases",
] as const;

export type OfferHead = Readonly<Record<(typeof OFFER)[number], unknown>>;

export function offerRow(head: OfferHead): unknown[] {
  return OFFER.map((field) => head[field]);
}

/** Names that stand in a script for the fields of a row. */
const LISTS: Readonly<Record<string, readonly string[]>> = { OFFER_FIELDS: OFFER };

/** `local OFFER_FIELDS = …` becomes a local variable for each field, so that script and sender read one list. */
export function withFields(script: string): string {
  return script.replace(/\blocal ([A-Z]+_FIELDS) =/g, (_, name: string) => {
    const fields = LISTS[name];
    if (fields === undefined) throw new Error(`Expected a list of fields, got ${name}`);
    return `local ${fields.join(", ")} =`;
  });
}
