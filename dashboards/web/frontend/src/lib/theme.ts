// Night or day look. Kept in a cookie so that the server sends the page in the right one at once.
import { need, setText } from "./dom";
import { t } from "./i18n";

const YEAR_S = 365 * 24 * 3600;
const listeners: (() => void)[] = [];

export function onThemeChange(listener: () => void): void {
  listeners.push(listener);
}

export function wireThemeButton(): void {
  const button = need<HTMLButtonElement>("theme");
  const show = (): void => {
    const night = document.documentElement.dataset["theme"] !== "day";
    setText(button.querySelector("[data-text]") ?? button, night ? t("theme.to_day") : t("theme.to_night"));
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = document.documentElement.dataset["theme"] === "day" ? "night" : "day";
    document.documentElement.dataset["theme"] = next;
    document.cookie = `theme=${next}; path=/; max-age=${YEAR_S}; SameSite=Strict`;
    show();
    for (const listener of listeners) listener();
  });
  show();
}
