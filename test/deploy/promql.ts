import { parser } from "@prometheus-io/lezer-promql";

interface Selector {
  readonly metric: string;
  /** That it matches by. */
  readonly labels: readonly string[];
}

interface Expression {
  readonly selectors: readonly Selector[];
  /** In `by`, `on`, `group_left` and the like. */
  readonly grouping: readonly string[];
}

/** What a PromQL expression names, by Prometheus's own grammar. Throws for one that does not parse. */
export function readExpression(text: string): Expression {
  const selectors: { metric: string; labels: string[] }[] = [];
  const grouping: string[] = [];
  const textOf = (node: { from: number; to: number }) => text.slice(node.from, node.to);
  parser.parse(text).iterate({
    enter(node) {
      if (node.type.isError)
        throw new Error(`Expected PromQL, got ${JSON.stringify(text)} (at ${node.from})`);
      if (node.name === "VectorSelector") {
        const name = node.node.getChild("Identifier");
        selectors.push({ metric: name === null ? "" : textOf(name), labels: [] });
      }
      if (node.name !== "LabelName") return;
      const isMatcher = node.node.parent?.name === "UnquotedLabelMatcher";
      (isMatcher ? (selectors.at(-1)?.labels ?? []) : grouping).push(textOf(node));
    },
  });
  return { selectors, grouping };
}
