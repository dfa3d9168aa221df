/** Text kept of one model answer; what goes on is counted and dropped. */
export const ANSWER_CHARS_MAX = 200_000;
/** Tools that one answer may ask for; those after are dropped, and the model asks again. */
export const TOOL_CALLS_MAX = 32;
/** Of one tool result, as the model sees it. */
export const TOOL_RESULT_CHARS_MAX = 30_000;
export const TOOL_TIMEOUT_MS = 30_000;
/** Of what a person is asked. What would be longer is not asked, and not done: nobody decides on what they cannot see. */
export const QUESTION_CHARS_MAX = 50_000;
/** A longer wait is left to the queue, which needs no worker for it. */
export const RETRY_WAIT_MS_MAX = 60_000;
/** An answer cut shorter than this is not worth its input. */
export const ANSWER_TOKENS_MIN = 256;
/** The part of the token budget that memory may take: the rest is for the steps, which each pay for it again. */
export const HISTORY_SHARE = 1 / 4;
/** Where there is no token budget. */
export const HISTORY_TOKENS_MAX = 100_000;
/** The part of it that memory and what the message refers to may take together: an answer needs the rest. */
export const REFERENCE_SHARE = 0.7;
/** What is clipped to less than this is left out. */
export const CLIP_TOKENS_MIN = 100;
export const NAME_CHARS_MAX = 80;
export const ATTACHMENTS_MAX = 20;

/** The part of the token budget that pictures of its tools may take in one call. */
export const TOOL_PICTURES_SHARE = 0.5;
/** Of the pictures of all its tools, which the record of a run holds while it runs. */
export const RUN_PICTURES_BYTES_MAX = 2 * 1024 * 1024;
/** Of one run. */
export const HANDOVERS_MAX = 4;
/** From one agent to the next. */
export const NOTE_CHARS_MAX = 8_000;

/** So many agents ask one another at most, beneath the one that people talk to. */
export const AGENT_DEPTH_MAX = 3;

/** A place where approvals are asked, and that cannot be reached, is tried again after this. */
export const PLACE_AGAIN_MS = 10_000;

/** Of a summary of older turns, whatever there is room for. */
export const SUMMARY_TOKENS_MAX = 2_000;
/** What has less room for memory than this has none for a summary. */
export const COMPACTION_TOKENS_MIN = 64;
/** What a model may think before it writes a summary. */
export const SUMMARY_THOUGHT_TOKENS = 2_048;
/** A person waits for it. */
export const SUMMARY_MS_MAX = 60_000;
/** What may be read for a summary at least, where nobody knows how much a model can read. */
export const SUMMARY_INPUT_TOKENS = 4_000;

/** Of what a guard thinks and answers. */
export const GUARD_TOKENS_MAX = 2_304;
/** The run waits for it. */
export const GUARD_MS_MAX = 60_000;
