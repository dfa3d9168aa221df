type Args = Readonly<Record<string, unknown>>;

/** What was shown beside messages, oldest first. */
export interface SlackSurfaces {
  /** Home tabs by person, and modals by the trigger that opened them. */
  readonly views: { readonly kind: "home" | "modal"; readonly to: string; readonly view: object }[];
  readonly prompts: { readonly channel: string; readonly thread: string; readonly prompts: unknown }[];
  readonly titles: { readonly channel: string; readonly thread: string; readonly title: string }[];
}

const BLOCKS_MAX = 100;
const MODAL_TITLE_CHARS_MAX = 24;

/** Slack's calls that show or open something; `refuse` gives what is thrown. */
export function slackSurfaces(
  need: (args: Args, name: string, error: string) => string,
  refuse: (error: string) => Error,
): { surfaces: SlackSurfaces; methods: Record<string, (args: Args) => object> } {
  const surfaces: SlackSurfaces = { views: [], prompts: [], titles: [] };
  const used = new Set<string>();

  function viewOf(args: Args, kind: "home" | "modal"): { view: object } {
    const view = fromForm(args.view);
    const { type, blocks, title } = (typeof view === "object" && view !== null ? view : {}) as {
      type?: unknown;
      blocks?: unknown;
      title?: { text?: string };
    };
    if (type !== kind || !Array.isArray(blocks) || blocks.length > BLOCKS_MAX)
      throw refuse("invalid_arguments");
    if (kind === "modal" && !(title?.text && title.text.length <= MODAL_TITLE_CHARS_MAX))
      throw refuse("invalid_arguments");
    return { view: view as object };
  }

  return {
    surfaces,
    methods: {
      "views.publish": (args) => {
        const home = viewOf(args, "home");
        surfaces.views.push({ kind: "home", to: need(args, "user_id", "user_not_found"), ...home });
        return home;
      },
      "views.open": (args) => {
        const to = need(args, "trigger_id", "invalid_trigger_id");
        if (used.has(to)) throw refuse("trigger_exchanged");
        used.add(to);
        const modal = viewOf(args, "modal");
        surfaces.views.push({ kind: "modal", to, ...modal });
        return { view: { id: `V${surfaces.views.length}`, ...modal.view } };
      },
      "assistant.threads.setSuggestedPrompts": (args) => {
        const channel = need(args, "channel_id", "channel_not_found");
        const thread = need(args, "thread_ts", "invalid_thread_ts");
        surfaces.prompts.push({ channel, thread, prompts: fromForm(args.prompts) });
        return {};
      },
      "assistant.threads.setTitle": (args) => {
        const channel = need(args, "channel_id", "channel_not_found");
        const thread = need(args, "thread_ts", "invalid_thread_ts");
        surfaces.titles.push({ channel, thread, title: need(args, "title", "invalid_title") });
        return {};
      },
    },
  };
}

/** In a form, what is no text is JSON. */
function fromForm(value: unknown): unknown {
  return typeof value === "string" ? JSON.parse(value) : value;
}
