import { UNSAFE } from "../../domain/text.ts";

type Child = Node | string | number | null | undefined | false;
type Tags = HTMLElementTagNameMap;

export interface Props {
  readonly class?: string | undefined;
  /** An attribute that is false or undefined is not there. */
  readonly [attribute: string]: string | number | boolean | undefined | ((event: Event) => void);
}

/**
 * The only way in which anything comes onto the page: text is a text node, and never read as markup. What begins with `on`
 * is a listener and no attribute, which the page's policy would not run.
 */
export function h<Tag extends keyof Tags>(tag: Tag, props: Props = {}, ...children: Child[]): Tags[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? "" : `${value}`);
  }
  element.append(...shown(children));
  return element;
}

/** In the place of all that was there. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(...shown(children));
}

/** The same while somebody is among it: what had the focus has it again, and what was scrolled aside stays so. */
export function refill(element: Element, ...children: Child[]): void {
  const focused = element.contains(document.activeElement) ? markOf(document.activeElement) : null;
  const aside = new Map([...element.querySelectorAll(".scroll")].map((one) => [markOf(one), one.scrollLeft]));
  fill(element, ...children);
  for (const one of element.querySelectorAll(".scroll")) one.scrollLeft = aside.get(markOf(one)) ?? 0;
  if (focused === null) return;
  const all = element.querySelectorAll<HTMLElement>("a, button, input, select, [tabindex]");
  [...all].find((one) => markOf(one) === focused)?.focus({ preventScroll: true });
}

/** What an element is to a person who comes back to it. */
function markOf(element: Element | null): string {
  const names = ["id", "href", "aria-label"].map((name) => element?.getAttribute(name) ?? "");
  return names.every((name) => name === "") ? (element?.textContent ?? "") : names.join(" ");
}

function shown(children: readonly Child[]): (Node | string)[] {
  return children.flatMap((child) =>
    child === null || child === undefined || child === false
      ? []
      : [typeof child === "number" ? `${child}` : child],
  );
}

/** Text from outside on one line: what cannot be seen is spelt, and its direction is its own. */
export function told(text: string, props: Props = {}): HTMLElement {
  return h("bdi", props, text.replace(UNSAFE, nameOf));
}

/** Text from outside with its lines. */
export function paragraphs(text: string, props: Props = {}): HTMLElement {
  return h("div", { dir: "auto", ...props, class: `said ${props.class ?? ""}` }, spelt(text));
}

/** The same as text of many lines. */
export function spelt(text: string): string {
  return text.replace(UNSAFE, (char) => (char === "\n" || char === "\t" ? char : nameOf(char)));
}

function nameOf(char: string): string {
  return `\\u{${char.codePointAt(0)?.toString(16)}}`;
}
