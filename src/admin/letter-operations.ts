import { bulkBody, lettersQuery, noQuery } from "./requests.ts";

const JSON_TYPE = "application/json";

/** What is done with all of them in one call. */
const ALL_THAT_FIT = {
  query: noQuery,
  body: bulkBody,
  answer: {
    status: 200,
    type: "application/x-ndjson",
    schemas: ["BulkLine", "BulkEnd"],
    what: "A line as each letter is done, then one with the totals.",
  },
  problems: [400, 413, 415, 503],
} as const;

/** Those of OPERATIONS that are about dead letters. */
export const LETTER_OPERATIONS = {
  listLetters: {
    method: "get",
    path: "/dead",
    summary: "Dead letters, newest first",
    query: lettersQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["LetterPage"], what: "A page of dead letters." },
    problems: [400, 503],
  },
  replayLetters: {
    method: "post",
    path: "/dead/replay",
    summary: "Replay all dead letters that fit, in their order; closing the connection stops it",
    ...ALL_THAT_FIT,
  },
  dropLetters: {
    method: "post",
    path: "/dead/drop",
    summary: "Drop all dead letters that fit; closing the connection stops it",
    ...ALL_THAT_FIT,
  },
  showLetter: {
    method: "get",
    path: "/dead/{id}",
    summary: "The whole life of one dead letter",
    query: noQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["LetterDetail"], what: "The dead letter." },
    problems: [400, 404, 409, 503],
  },
  replayLetter: {
    method: "post",
    path: "/dead/{id}/replay",
    summary: "Replay one dead letter: say what was not said, or run it anew where there is no answer",
    query: noQuery,
    answer: { status: 202, type: JSON_TYPE, schemas: ["Replayed"], what: "It waits for its turn." },
    problems: [400, 404, 409, 422, 503],
  },
  dropLetter: {
    method: "delete",
    path: "/dead/{id}",
    summary: "Put one dead letter away; it stays in the journal as dropped",
    query: noQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["Dropped"], what: "It is dropped." },
    problems: [400, 404, 409, 503],
  },
} as const;
