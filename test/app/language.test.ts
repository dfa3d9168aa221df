import { eld } from "eld/extrasmall";
import { expect, it } from "vitest";
import { languagesFor } from "../../src/app/language.ts";
import { LANGUAGES, wordsIn } from "../../src/domain/language.ts";

const asking = (...language: (typeof LANGUAGES)[number][]) =>
  languagesFor({ routes: [{ agent: "assistant", match: { language } }] });

it("knows the languages that a file may name, and no others", () => {
  expect(Object.values(eld.info().Languages).toSorted()).toEqual([...LANGUAGES]);
});

it.each([
  ["de", "Was hat sich seit gestern geändert?"],
  ["en", "What changed since yesterday?"],
  ["fr", "Peux-tu redémarrer le service de facturation ?"],
  ["es", "¿Qué cambió desde ayer?"],
  ["ru", "сборка упала, что мне теперь делать и кто это чинит?"],
  ["ja", "サービスを再起動してください"],
  ["zh", "请重启服务"],
  ["ko", "서비스를 다시 시작해 주세요"],
  ["ar", "هل يمكنك إعادة تشغيل الخدمة؟"],
])("%s is told from a sentence", async (language, text) => {
  const languageOf = await asking("de");
  expect(languageOf(text)).toBe(language);
});

it("code, addresses and names around a sentence do not change its language", async () => {
  const languageOf = await asking("de");
  const code = "```ts\nthis is the English comment of a function\n```";
  expect(languageOf(`@deploy-bot kannst du das bitte prüfen? https://example.com/the/error ${code}`)).toBe(
    "de",
  );
});

it("is nobody's where no route asks for it", async () => {
  const languageOf = await languagesFor({ routes: [{ agent: "assistant", match: { pattern: ["x"] } }] });
  expect(languageOf("What changed since yesterday?")).toBeNull();
});

it("looks at the beginning of a long message alone, whatever it holds", async () => {
  expect(wordsIn("a".repeat(100_000))?.length).toBeLessThan(1_000);
  const languageOf = await asking("de");
  for (const text of ["\ud800".repeat(2_000), "`".repeat(2_000), ":".repeat(2_000), "/a".repeat(1_000)])
    expect(languageOf(text)).toBeNull();
});
