/** A name from elsewhere, as code, which nothing in it ends. */
export function code(name: string): string {
  return `\`${name.replaceAll(/[`\s\p{C}]/gu, "?")}\``;
}

/** The same of words of the operator, whose spaces stay. */
export function codeOf(words: string): string {
  return `\`${words.replaceAll(/[`\p{C}]/gu, "?")}\``;
}
