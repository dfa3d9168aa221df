import { deadHooksQuery, replayHookBody } from "./hooks.ts";
import { noQuery } from "./requests.ts";

const JSON_TYPE = "application/json";

/** Those of OPERATIONS that are about hooks. */
export const HOOK_OPERATIONS = {
  listHooks: {
    method: "get",
    path: "/hooks",
    summary: "Hooks of the configuration: how they are, what is on its way to them, what was given up",
    query: noQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["Hooks"], what: "One for each." },
    problems: [400, 503],
  },
  listDeadHooks: {
    method: "get",
    path: "/hooks/{id}/dead",
    summary: "Messages to a hook that were given up, the latest first",
    query: deadHooksQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["DeadHookPage"], what: "A page of them." },
    problems: [400, 404, 503],
  },
  replayHook: {
    method: "post",
    path: "/hooks/{id}/replay",
    summary: "Send messages that were given up to the hook again, with the same ids",
    query: noQuery,
    body: replayHookBody,
    answer: { status: 200, type: JSON_TYPE, schemas: ["ReplayedHooks"], what: "They are on their way." },
    problems: [400, 404, 413, 415, 503],
  },
  tryHook: {
    method: "post",
    path: "/hooks/{id}/test",
    summary: "Send a message of the type hook.test to a hook, now and once",
    query: noQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["HookTrial"], what: "Whether the hook took it." },
    problems: [400, 404, 503],
  },
} as const;
