import { Guide, type GuideRules } from "../../src/dispatch/guide.ts";

/** Knows no commands and no menus, unless the test is about them. */
export function guideWith(changes: Partial<GuideRules> = {}): Guide {
  return new Guide({ commands: [], menus: new Map(), routes: [], ...changes });
}
