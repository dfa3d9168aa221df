import { ApiError, ask, errorOf } from "./api.ts";
import { fill, h, paragraphs, told } from "./dom.ts";
import { answerOf } from "./markdown.ts";
import { messageOf } from "./parts.ts";
import type { Context, View } from "./view.ts";

const WAIT_SECONDS = 60;
const CHARS_MAX = 8_000;
const TRY = ["Hello, who are you?", "demo: markdown", "demo: stream 30 10", "demo: ask Shall I deploy?"];

/** Kept while the page is: whoever looks at something else comes back to the same talk. */
const talk = { conversation: newConversation(), key: "", agent: "", lines: [] as HTMLElement[] };

function newConversation(): string {
  // Not randomUUID: that is there over TLS and on this machine alone.
  const [number = 0] = crypto.getRandomValues(new Uint32Array(1));
  return `console-${number.toString(36)}`;
}

export const playground: View = {
  name: "playground",
  title: "Playground",
  isForOperators: false,
  open(into, context) {
    const { facts, signal } = context;
    if (facts.playground === "off")
      return fill(into, h("p", { class: "notice" }, "The test webhook is off on this replica."));
    const key = keyField(facts.playground === "key");
    const log = h("div", { class: "talk", role: "log", "aria-label": "Conversation", tabindex: 0 });
    const box = h("textarea", {
      ...{ rows: 2, maxlength: CHARS_MAX, placeholder: "Say something", "aria-label": "Message" },
      onkeydown: (event) => {
        const { key, shiftKey, isComposing } = event as KeyboardEvent;
        if (key !== "Enter" || shiftKey || isComposing) return;
        event.preventDefault();
        form.requestSubmit();
      },
    });
    const send = h("button", { type: "submit", class: "main" }, "Send");
    const form = h(
      "form",
      {
        class: "cards",
        onsubmit: (event) => {
          event.preventDefault();
          void say(box.value);
        },
      },
      key.field,
      h("div", { class: "composer" }, box, send),
    );
    fill(into, settings(context, showTalk), log, form);
    showTalk();
    box.focus();

    function showTalk(): void {
      fill(log, ...(talk.lines.length > 0 ? talk.lines : [welcome(facts.isDemo, say)]));
      log.scrollTop = log.scrollHeight;
    }

    function add(line: HTMLElement): void {
      talk.lines = [...talk.lines, line].slice(-200);
      if (!signal.aborted) showTalk();
    }

    async function say(text: string): Promise<void> {
      if (text.trim() === "" || send.disabled) return;
      send.disabled = true;
      box.value = "";
      add(bubble("you", paragraphs(text)));
      const waiting = bubble("bot", h("span", { class: "dots", role: "status" }, "Thinking…"));
      add(waiting);
      try {
        const { id, reply } = await posted(text, key.value());
        waiting.replaceChildren(...answered(id, reply, context).childNodes);
      } catch (error) {
        key.show(error instanceof ApiError && error.status === 401);
        waiting.classList.add("failed");
        fill(waiting, told(messageOf(error)));
        box.value ||= text;
      }
      send.disabled = false;
      if (signal.aborted) return;
      showTalk();
      // A long answer is read from its beginning.
      log.scrollTop = Math.min(log.scrollTop, waiting.offsetTop - log.offsetTop - 16);
      box.focus();
    }
  },
};

async function posted(message: string, key: string): Promise<{ id: string; reply?: string }> {
  const { conversation, agent } = talk;
  const response = await ask(`webhooks/test?wait=${WAIT_SECONDS}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(key !== "" && { "x-dev-key": key }) },
    body: JSON.stringify({ message, conversation, user: "console", ...(agent !== "" && { agent }) }),
  });
  if (response.status === 401)
    throw new ApiError(
      401,
      "The gateway wants its developer's key: PARLEY_DEV_KEY, or what its start has printed.",
    );
  if (!response.ok) throw await errorOf(response);
  return await response.json();
}

function answered(id: string, reply: string | undefined, { api, facts }: Context): HTMLElement {
  const words =
    reply === undefined
      ? h("p", {}, "No answer within a minute. It may wait for an approval, or for its turn.")
      : answerOf(reply);
  const link =
    facts.isApiOn && api !== null
      ? h("a", { class: "more", href: `#/event/${encodeURIComponent(id)}` }, "What happened")
      : null;
  return bubble("bot", words, ...(link === null ? [] : [link]));
}

function bubble(who: "you" | "bot", ...content: Node[]): HTMLElement {
  return h(
    "div",
    { class: `bubble ${who}` },
    h("span", { class: "unseen" }, who === "you" ? "You" : "Agent"),
    ...content,
  );
}

function welcome(isDemo: boolean, say: (text: string) => Promise<void>): HTMLElement {
  return h(
    "div",
    { class: "empty" },
    h("p", { class: "empty-title" }, "Talk to an agent"),
    h(
      "p",
      {},
      "This goes the way of every message: verified, kept, run in order, answered. ",
      isDemo
        ? "There is no key of a model yet, so the demo model answers: it repeats what it is told, and does what the lines below say."
        : "A model that costs money costs money here, too.",
    ),
    h(
      "div",
      { class: "chips" },
      ...(isDemo ? TRY : TRY.slice(0, 1)).map((text) =>
        h("button", { type: "button", class: "chip", onclick: () => void say(text) }, text),
      ),
    ),
  );
}

function settings({ api, facts, signal }: Context, changed: () => void): HTMLElement {
  const agent = h(
    "select",
    {
      onchange: () => {
        talk.agent = agent.value;
      },
    },
    h("option", { value: "" }, "as routes say"),
  );
  if (facts.isApiOn && api !== null)
    void api.get<{ agents: string[] }>("/status", { signal }).then(
      ({ agents }) => {
        agent.append(...agents.map((name) => h("option", { value: name }, told(name).textContent ?? "")));
        agent.value = talk.agent;
      },
      () => {},
    );
  return h(
    "div",
    { class: "bar" },
    facts.isApiOn && h("label", { class: "field" }, h("span", {}, "Agent"), agent),
    h(
      "button",
      {
        type: "button",
        class: "plain",
        onclick: () => {
          talk.conversation = newConversation();
          talk.lines = [];
          changed();
        },
      },
      "New conversation",
    ),
  );
}

/** Asked for where the webhook is not open to this machine, and when it was refused. */
function keyField(isNeeded: boolean) {
  const input = h("input", {
    ...{ type: "password", autocomplete: "off", spellcheck: "false", maxlength: 500 },
    oninput: () => {
      talk.key = input.value;
    },
  });
  input.value = talk.key;
  const field = h(
    "label",
    { class: "field wide", hidden: !isNeeded },
    h("span", {}, "Developer's key (PARLEY_DEV_KEY, or the one that the start of the gateway has printed)"),
    input,
  );
  return {
    field,
    value: () => talk.key.trim(),
    show(isRefused: boolean) {
      if (isRefused) field.hidden = false;
    },
  };
}
