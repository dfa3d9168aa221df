import type { Menu } from "../domain/menu.ts";
import type { ShownMenu } from "../domain/shown-menu.ts";

/** Which menu was shown last in a conversation, until something else is answered there. All reject with STORE_*. */
export interface ShownMenus {
  /** Null: there is none, or its time is over. */
  find(conversation: string): Promise<ShownMenu | null>;
  /** The last one counts. `eventId`: what it answers, and is erased with. */
  show(conversation: string, menu: Menu & Pick<ShownMenu, "eventId">): Promise<void>;
  /** A number there means nothing any more. */
  leave(conversation: string): Promise<void>;
  /** Deletes those whose time is over. Gives how many. */
  forget(): Promise<number>;
}
