// The words on the page, from the same two files that the templates use.
import en from "../../../i18n/en.json";
import vi from "../../../i18n/vi.json";

export type Key = keyof typeof vi;
export type Language = "vi" | "en";

export const language: Language = document.documentElement.lang === "en" ? "en" : "vi";

const words: Record<Key, string> = language === "en" ? en : vi;

/** The text for `key`, with `{name}` places filled in. */
export function t(key: Key, places: Record<string, string | number> = {}): string {
  return words[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(places[name] ?? whole));
}

/** The text for a word of the contract such as a reason; the word itself when a newer node says one we don't know. */
export function word(prefix: string, value: string): string {
  const key = `${prefix}.${value}`;
  return key in words ? words[key as Key] : value;
}
