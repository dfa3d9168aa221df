/**
 * What an event is to its lane, whose urgency is that of its first event:
 * - `message`: for an agent, or a command that keeps its place among the messages of its conversation (`/reset`)
 * - `command`: to the gateway itself; comes before everything that is none
 * - `notice`: made of an event that was refused: it is not run, and the person is told
 */
export type EventKind = "message" | "command" | "notice";
