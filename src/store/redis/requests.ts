import { isTaken, REQUEST_OUTCOMES } from "../../domain/request.ts";
import type { RequestLog, RequestNote } from "../../ports/request-log.ts";
import { readable } from "../stored.ts";
import { wellFormed } from "../well-formed.ts";
import type { Parts } from "./parts.ts";

/** Notes looked at by one script. */
const CHUNK = 500;
const FOUND_MAX = 100;

export function createRequestLog({ run, now }: Parts): RequestLog {
  /** Those of one step that are about the request, or all; `last` is the id that the next step goes on from. */
  async function step(
    outcomes: readonly string[],
    limit: number,
    { beforeId = "", requestId = "" },
  ): Promise<{ notes: RequestNote[]; last: string }> {
    const args = [outcomes.join(","), limit, beforeId, requestId];
    const [last, ...bodies] = (await run("list_requests", [now(), ...args], "brief")) as [
      string,
      ...string[],
    ];
    return { notes: readable<RequestNote>(bodies), last };
  }

  return {
    async record(notes, { refusedMax, afterId }) {
      const rows = notes.flatMap((note) => {
        const body = [note.id, wellFormed(note.requestId), wellFormed(JSON.stringify(note))].join("\n");
        return [note.outcome, body];
      });
      await run("note_requests", [now(), REFUSED, TAKEN, refusedMax, afterId, ...rows], "brief");
    },
    async list({ outcomes, limit, beforeId }) {
      const { notes } = await step(outcomes, limit, beforeId === undefined ? {} : { beforeId });
      return notes;
    },
    async find(requestId) {
      const found: RequestNote[] = [];
      let beforeId = "";
      do {
        const { notes, last } = await step(REQUEST_OUTCOMES, CHUNK, {
          beforeId,
          requestId: wellFormed(requestId),
        });
        found.push(...notes);
        beforeId = last;
      } while (beforeId !== "" && found.length < FOUND_MAX);
      return found.slice(0, FOUND_MAX);
    },
  };
}

const REFUSED = REQUEST_OUTCOMES.filter((outcome) => !isTaken(outcome)).join(",");
const TAKEN = REQUEST_OUTCOMES.filter(isTaken).join(",");
