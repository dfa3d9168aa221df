import { z } from "zod";
import { PLATFORMS } from "../domain/event.ts";
import { aboutOf, personOfOwner } from "../domain/notebook.ts";
import type { Notebook, Notebooks } from "../ports/notebooks.ts";
import { iso } from "../shared/time.ts";
import type { Logger } from "../telemetry/log.ts";
import { PAGE_DEFAULT, PAGE_MAX } from "./bounds.ts";
import { cursorOf, placeOf } from "./cursor.ts";
import { type ApiResponse, problem } from "./responses.ts";

/** What agents have noted of people and channels, to be shown and erased. */

export interface NotesDeps {
  readonly notebooks: Pick<Notebooks, "list" | "erase">;
  /** A keyed hash of a person. */
  readonly subjectOf: (person: string) => string;
  readonly log: Logger;
}

const name = z.string().min(1).max(2_000);

const notesQuery = z.strictObject({
  about: z.enum(["person", "channel"]).optional(),
  owner: name
    .optional()
    .describe(
      "A person or channel by its key, `user:platform:workspace:id` or `platform:workspace:channel`.",
    ),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT),
  cursor: z
    .string()
    .refine((text) => placeOf("notes", text) !== null, {
      error: "expected the `next` of a page of this list, as it was given",
    })
    .optional()
    .describe("The `next` of the page before, as it was given."),
});
const eraseNotesQuery = z.strictObject({
  agent: name.optional().describe("Those of this agent alone."),
  note: name.optional().describe("The one of this id alone."),
});

const notebookSchema = z.object({
  owner: z.string().describe("Whom or what they are about. Encode it in a path."),
  about: z.enum(["person", "channel"]),
  agent: z.string(),
  notes: z.array(
    z.object({
      id: z.string(),
      text: z.string(),
      at: z.iso.datetime(),
      by: z.object({ id: z.string(), name: z.string() }).describe("Who had it written down."),
    }),
  ),
});
export type NotebookView = z.output<typeof notebookSchema>;
export const notebookPageSchema = z.object({
  notebooks: z.array(notebookSchema).describe("One for each owner and agent, by owner."),
  next: z.string().nullable(),
});
export const erasedNotesSchema = z.object({
  id: z.string(),
  erased: z.int(),
  subject: z.string().describe("By which the audit and the log know the owner: of a person a keyed hash."),
  by: z.string(),
});
export type ErasedNotes = z.output<typeof erasedNotesSchema>;

/** Those of OPERATIONS that are about notes. */
export const NOTE_OPERATIONS = {
  listNotes: {
    method: "get",
    path: "/notes",
    summary: "Long-term notes of agents about people and channels",
    query: notesQuery,
    answer: { status: 200, type: "application/json", schemas: ["NotebookPage"], what: "A page of them." },
    problems: [400, 503],
  },
  eraseNotes: {
    method: "delete",
    path: "/notes/{id}",
    summary: "Erase the notes about a person or a channel, or those of one agent, or one",
    query: eraseNotesQuery,
    answer: { status: 200, type: "application/json", schemas: ["ErasedNotes"], what: "They are erased." },
    problems: [400, 404, 503],
  },
} as const;

export async function notebookPage(
  query: z.output<typeof notesQuery>,
  { notebooks }: NotesDeps,
): Promise<z.output<typeof notebookPageSchema>> {
  const found: Notebook[] = [];
  for await (const book of booksOf(query, notebooks)) if (found.push(book) > query.limit) break;
  const page = found.slice(0, query.limit);
  const last = page.at(-1);
  return {
    notebooks: page.map(({ owner, agent, notes }) => ({
      ...{ owner, about: aboutOf(owner), agent },
      notes: notes.map(({ id, text, atMs, by }) => ({ id, text, at: iso(atMs), by })),
    })),
    next: found.length > page.length && last ? cursorOf("notes", `${last.agent} ${last.owner}`) : null,
  };
}

export async function eraseNotes(
  owner: string,
  { agent, note }: z.output<typeof eraseNotesQuery>,
  by: string,
  { notebooks, subjectOf, log }: NotesDeps,
): Promise<ApiResponse> {
  const erased = await notebooks.erase(owner, { ...(agent && { agent }), ...(note && { note }) });
  if (erased === 0) return problem(404, "There are no such notes; GET /api/v1/notes lists them");
  const person = personOfOwner(owner);
  const subject = person === null ? owner : subjectOf(person);
  log.info({ by, subject, erased }, "notes.erased");
  return { status: 200, body: { id: owner, erased, subject, by } satisfies ErasedNotes };
}

const CHUNK = 100;

async function* booksOf(
  { about, owner, cursor }: z.output<typeof notesQuery>,
  notebooks: NotesDeps["notebooks"],
): AsyncGenerator<Notebook, void> {
  let after = cursor === undefined ? undefined : bookIn(placeOf("notes", cursor) ?? "");
  const fits = (book: Notebook) =>
    (about === undefined || aboutOf(book.owner) === about) &&
    (owner === undefined || book.owner === owner || book.owner.startsWith(`${owner}:`));
  for (const ownerPrefix of owner === undefined ? BEGINNINGS[about ?? "any"] : [owner])
    for (;;) {
      const books = await notebooks.list({ ownerPrefix, limit: CHUNK, ...(after && { after }) });
      yield* books.filter(fits);
      after = books.at(-1) ?? after;
      if (books.length < CHUNK) break;
    }
}

/** Of the keys of owners, in the order in which they are kept. */
const BEGINNINGS = {
  any: [""],
  person: ["user:"],
  channel: PLATFORMS.map((platform) => `${platform}:`).toSorted(),
} as const;

function bookIn(place: string): Pick<Notebook, "owner" | "agent"> {
  const end = place.indexOf(" ");
  return { agent: place.slice(0, end), owner: place.slice(end + 1) };
}
