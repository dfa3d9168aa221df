import { type ContextItem, contextItem } from "../../src/domain/context.ts";
import type { Person } from "../../src/domain/event.ts";
import { get, getArray, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import type { Seen } from "./seen.ts";

const ITEMS_MAX = 30;

/** Who refers to something, and what we know of it. */
interface Referring {
  readonly person: Person;
  readonly ourNumber: string | undefined;
  readonly seen: Pick<Seen, "item">;
}

/** What came with a message before its words: the advertisement, the product or the message that it is about. */
export function readContext(message: JsonObject, referring: Referring): readonly ContextItem[] {
  return [
    ...referral(getObject(message, "referral")),
    ...product(getObject(getObject(message, "context"), "referred_product")),
    ...order(message),
    ...reply(message, referring),
  ];
}

/** Whether the words are those of another, whom WhatsApp does not tell. */
export function isForwarded(message: JsonObject): boolean {
  const context = getObject(message, "context");
  return get(context, "forwarded") === true || get(context, "frequently_forwarded") === true;
}

/** The advertisement, or the post, from which the person came. */
function referral(referral: JsonObject | undefined): readonly ContextItem[] {
  const parts = ["headline", "body", "source_url"].map((field) => getString(referral, field));
  const text = lines(...parts);
  if (text === "") return [];
  const name = getString(referral, "source_type") === "post" ? "post" : "advertisement";
  return [contextItem("embedded", text, { author: { id: null, name } })];
}

function product(product: JsonObject | undefined): readonly ContextItem[] {
  const text = productName(product);
  return text === "" ? [] : [contextItem("product", text)];
}

function order(message: JsonObject): readonly ContextItem[] {
  if (getString(message, "type") !== "order") return [];
  const order = getObject(message, "order");
  return getArray(order, "product_items")
    .slice(0, ITEMS_MAX)
    .flatMap((item) => {
      const name = productName(item, getString(order, "catalog_id"));
      return name === "" ? [] : [contextItem("product", `${amount(item)}${name}${price(item)}`)];
    });
}

/** WhatsApp names products by the shop's own ids. */
function productName(item: unknown, catalog = getString(item, "catalog_id")): string {
  const id = getString(item, "product_retailer_id");
  return id === undefined ? "" : `${id}${catalog === undefined ? "" : ` (catalogue ${catalog})`}`;
}

function amount(item: unknown): string {
  const quantity = numberOf(item, "quantity");
  return quantity === undefined ? "" : `${quantity} × `;
}

function price(item: unknown): string {
  const each = numberOf(item, "item_price");
  return each === undefined ? "" : ` at ${each} ${getString(item, "currency") ?? ""}`.trimEnd();
}

/** Meta writes numbers as such, or as text. */
function numberOf(item: unknown, key: string): string | undefined {
  const value = get(item, key);
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  return typeof value === "string" && /^\d{1,12}(\.\d{1,6})?$/.test(value) ? value : undefined;
}

/** WhatsApp tells the id of the message that is answered or pressed, and none of its words. */
function reply(message: JsonObject, { person, ourNumber, seen }: Referring): readonly ContextItem[] {
  const context = getObject(message, "context");
  const id = getString(context, "id");
  if (id === undefined) return [];
  const isPress = PRESSES.has(getString(message, "type") ?? "");
  const known = seen.item(isPress ? "pressed" : "quoted", id, person);
  if (known !== undefined) return [known];
  // A product that was asked about is shown itself: the message that shows it says no more.
  if (isPress || getObject(context, "referred_product") !== undefined) return [];
  const from = getString(context, "from")?.replace(/^\+/, "");
  const isOurs = from !== undefined && from === ourNumber?.replaceAll(/\D/g, "");
  const whose = isOurs ? "of yours" : "of this conversation";
  const note = `This is a reply to an earlier message ${whose}, whose words WhatsApp does not repeat.`;
  return [contextItem("note", note)];
}

const PRESSES = new Set(["interactive", "button"]);

const lines = (...parts: readonly (string | undefined)[]) =>
  parts
    .filter((part) => part !== undefined)
    .join("\n")
    .toWellFormed();
