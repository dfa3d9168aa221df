import type { StubCall } from "../../src/ports/stub.ts";
import { type JsonObject, parseJsonObject } from "../../src/shared/json.ts";

/** What a call says, in whichever of the forms of these APIs: JSON, a form, or a form of several parts without its files. */
export function fieldsOf({ type, body }: StubCall): JsonObject {
  if (type.startsWith("application/x-www-form-urlencoded"))
    return Object.fromEntries(new URLSearchParams(body));
  if (!type.startsWith("multipart/form-data")) return jsonOf(body);
  const parts = [
    ...body.matchAll(/name="([^"]+)"(; filename="[^"]*")?\r\n(?:[^\r\n]+\r\n)*\r\n([\s\S]*?)\r\n--/g),
  ];
  return Object.fromEntries(
    parts.flatMap(([, name = "", file, value]) => (file === undefined ? [[name, value]] : [])),
  );
}

export function jsonOf(text: string): JsonObject {
  const parsed = parseJsonObject(text);
  return parsed.ok ? parsed.value : {};
}

/** Above those of a platform that counts up, so that nothing is younger. */
export function numberOf({ nowMs, n }: StubCall): number {
  return (nowMs % 1_000_000_000) * 10 + (n % 10);
}
