/** A pattern that `patternFault` found sound, as it is meant: searched anywhere, whatever the case of letters. */
export function compilePattern(pattern: string): RegExp {
  return new RegExp(pattern, "iu");
}

/**
 * What is wrong with a pattern, or null. JavaScript's engine backtracks: a repeated group that can match the same
 * text in several ways takes exponential time, and a stranger's message could stop the process. So a repeated group
 * may hold no repetition, option or alternative, and a pattern no back-reference. What remains is polynomial.
 */
export function patternFault(pattern: string): string | null {
  try {
    compilePattern(pattern);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^.*\/iu: /s, "") : "invalid";
    return `expected a regular expression (${reason})`;
  }
  return repetitionFault(pattern);
}

/** Reads a pattern that compiles. `varies`: the group at that depth can match texts of several shapes. */
function repetitionFault(pattern: string): string | null {
  const groups = [{ varies: false }];
  let at = 0;
  while (at < pattern.length) {
    const rest = pattern.slice(at);
    if (/^\\([1-9]|k<)/.test(rest))
      return "expected a pattern without a back-reference (they can take forever)";
    const atom = /^(?:\\.|\[(?:\\.|[^\]\\])*\]|[^()|])/su.exec(rest)?.[0];
    let isGroup = false;
    let varies = false;
    if (atom !== undefined) at += atom.length;
    else if (rest.startsWith("(")) {
      groups.push({ varies: false });
      at += /^\((?:\?(?:[:=!]|<[=!]|<[^>]+>|[a-z-]+:))?/.exec(rest)?.[0].length ?? 1;
      continue;
    } else if (rest.startsWith("|")) {
      for (const group of groups.slice(-1)) group.varies = true;
      at++;
      continue;
    } else {
      varies = groups.pop()?.varies ?? false;
      isGroup = true;
      at++;
    }
    const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/.exec(pattern.slice(at))?.[0] ?? "";
    at += quantifier.length;
    const repeats = /^[*+{]/.test(quantifier);
    if (isGroup && repeats && varies) {
      return "expected no repetition, option or alternative inside a repeated group (it can take forever)";
    }
    const group = groups.at(-1);
    if (group !== undefined && (varies || (quantifier !== "" && !/^\{\d+\}/.test(quantifier))))
      group.varies = true;
  }
  return null;
}
