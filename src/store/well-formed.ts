/** UTF-8 has no lone surrogates: they would all become the same replacement character, and two keys one. */
export function wellFormed(key: string): string {
  return key.isWellFormed() ? key : JSON.stringify(key);
}
