/** A name from elsewhere, as code, which nothing in it ends. */
export function code(name: string): string {
  return `\`${name.replaceAll(/[`\s\p{C}]/gu, "?")}\``;
}
