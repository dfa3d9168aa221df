import { type ContextItem, contextItem } from "../../src/domain/context.ts";
import { get, getArray, getObject, getString, type JsonObject } from "../shared/json.ts";

const ITEMS_MAX = 30;

/** What came with a message before its words: the advertisement, the product or the message that it is about. */
export function readContext(message: JsonObject, ourNumber: string | undefined): readonly ContextItem[] {
  const context = getObject(message, "context");
  return [
    ...referral(getObject(message, "referral")),
    ...product(getObject(context, "referred_product")),
    ...order(message),
    ...reply(message, context, ourNumber),
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

/** WhatsApp tells the id of the message that is answered, and none of its words. */
function reply(
  message: JsonObject,
  context: JsonObject | undefined,
  ourNumber: string | undefined,
): readonly ContextItem[] {
  const type = getString(message, "type");
  if (getString(context, "id") === undefined || type === "interactive" || type === "button") return [];
  const from = getString(context, "from")?.replace(/^\+/, "");
  const isOurs = from !== undefined && from === ourNumber?.replace(/\D/g, "");
  const whose = isOurs ? "of yours" : "of this conversation";
  return [
    contextItem(
      "note",
      `This is a reply to an earlier message ${whose}, whose words WhatsApp does not repeat.`,
    ),
  ];
}

const lines = (...parts: readonly (string | undefined)[]) =>
  parts
    .filter((part) => part !== undefined)
    .join("\n")
    .toWellFormed();
