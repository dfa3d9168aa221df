import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";

/** 96 bits, at random: what is sealed with one key is counted in thousands. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
export const KEY_BYTES = 32;
/** AES-256-GCM; another one would be another letter. */
const FORM = "a";

/**
 * Seals texts with the first key, and opens what any of them has sealed. What is sealed is bound to a name: under another
 * it does not open, so that nobody who can write to the store exchanges one for another.
 */
export class Seal {
  #keys: readonly { readonly id: string; readonly key: Buffer }[];

  /** Keys of KEY_BYTES each; at least one. */
  constructor(keys: readonly Buffer[]) {
    this.#keys = keys.map((key) => ({ id: idOf(key), key }));
  }

  /** Seals and opens with the keys of the other from now on. */
  renew(other: Seal): void {
    this.#keys = other.#keys;
  }

  seal(name: string, text: string): string {
    const [first] = this.#keys;
    if (first === undefined) throw new Error("Expected a key to seal with, got none");
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", first.key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(name, "utf8"));
    const sealed = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return `${FORM}.${first.id}.${sealed.toString("base64url")}`;
  }

  /** Null: none of the keys opens it, or not under this name. */
  open(name: string, sealed: string): string | null {
    const [form, id, body = ""] = sealed.split(".");
    const known = this.#keys.find((one) => one.id === id);
    const bytes = Buffer.from(body, "base64url");
    if (form !== FORM || known === undefined || bytes.length < NONCE_BYTES + TAG_BYTES) return null;
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv("aes-256-gcm", known.key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(name, "utf8"));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
      return Buffer.concat([text, decipher.final()]).toString("utf8");
    } catch {
      return null;
    }
  }

  /** Whether it was sealed with the first key. */
  isCurrent(sealed: string): boolean {
    return sealed.startsWith(`${FORM}.${this.#keys[0]?.id}.`);
  }
}

/** Tells keys apart, and nothing about them. */
function idOf(key: Buffer): string {
  return createHash("sha256").update("parley key id\0").update(key).digest("hex").slice(0, 8);
}

/** 32 bytes as base64, base64url or hex; null for anything else. */
export function keyOf(text: string): Buffer | null {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, "hex");
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return null;
  const key = Buffer.from(text, "base64");
  return key.length === KEY_BYTES ? key : null;
}
