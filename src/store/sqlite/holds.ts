import type { State } from "./state.ts";

export function hold({ sql }: State, name: string): number {
  const elected = sql.elect.get(name);
  if (elected === undefined) throw new Error(`Expected a token for ${name}, got none`);
  return elected.token;
}

export function getNote({ sql }: State, name: string): string | null {
  return sql.note.get(name)?.value ?? null;
}

export function putNote({ sql }: State, name: string, value: string): null {
  sql.putNote.run(name, value);
  return null;
}
