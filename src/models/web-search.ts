import type Anthropic from "@anthropic-ai/sdk";

/** The provider's own search of the web, as an agent has it. */
export interface WebSearch {
  /** Searches of one call. */
  readonly usesMax: number;
  /** One of the two at most. */
  readonly allowedDomains?: readonly string[] | undefined;
  readonly blockedDomains?: readonly string[] | undefined;
  readonly dollarsPerThousand: number;
}

type Block = Anthropic.ContentBlockParam;

/** Twice what one search was seen to bring into the prompt; the provider names no limit. */
const SEARCH_TOKENS_MAX = 15_000;

export function searchTool({
  usesMax,
  allowedDomains,
  blockedDomains,
}: WebSearch): Anthropic.WebSearchTool20250305 {
  return {
    type: "web_search_20250305",
    name: "web_search",
    max_uses: usesMax,
    ...(allowedDomains !== undefined && { allowed_domains: [...allowedDomains] }),
    ...(blockedDomains !== undefined && { blocked_domains: [...blockedDomains] }),
  };
}

export function searchCents(search: WebSearch | undefined, searches: number): number {
  return search === undefined ? 0 : (searches * search.dollarsPerThousand) / 10;
}

/** What a call reads at most: after each search the model begins again, with all that it has read and written so far. */
export function searchedTokensMax(
  { usesMax }: WebSearch,
  { inputTokens, outputTokens }: { readonly inputTokens: number; readonly outputTokens: number },
): number {
  const found = (SEARCH_TOKENS_MAX * usesMax * (usesMax + 1)) / 2;
  return inputTokens + usesMax * (inputTokens + outputTokens) + found;
}

/** Of a request: what was found before is sealed, and its bytes say nothing about its tokens. */
export function withoutFound<Body extends { readonly messages: readonly Anthropic.MessageParam[] }>(
  body: Body,
): { readonly words: Body; readonly foundTokens: number } {
  let foundTokens = 0;
  const messages = body.messages.map((message) => {
    if (typeof message.content === "string") return message;
    const content = message.content.filter(({ type }) => type !== "web_search_tool_result");
    foundTokens += (message.content.length - content.length) * SEARCH_TOKENS_MAX;
    return { ...message, content };
  });
  return { words: { ...body, messages }, foundTokens };
}

/** Broken off in the middle of a search: the provider goes on with it when it is given back as it is, and nothing after it. */
export function isSearching(content: readonly Block[]): boolean {
  return content.some(({ type }) => type === "server_tool_use");
}

/** The links that belong behind a block of an answer: what a block says is found where it leads to. */
export class Citations {
  readonly #urls = new Set<string>();

  add(citation: { readonly type: string; readonly url?: unknown }): void {
    const url =
      citation.type === "web_search_result_location" && typeof citation.url === "string"
        ? URL.parse(citation.url)
        : null;
    if (url !== null && /^https?:$/.test(url.protocol) && url.username === "") this.#urls.add(url.href);
  }

  /** As Markdown, empty where there are none. Their titles are others' words, so a link is called by its host. */
  taken(): string {
    const links = [...this.#urls].map((href) => `[${new URL(href).host}](${escaped(href)})`);
    this.#urls.clear();
    return links.length === 0 ? "" : ` (${links.join(", ")})`;
  }
}

function escaped(href: string): string {
  return href.replace(/[()<>\\]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
}
