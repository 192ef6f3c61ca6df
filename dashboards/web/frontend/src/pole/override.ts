// The form that overrides a lamp: a level, and always an end.
import { ApiError, post } from "../lib/api";
import { need, setText } from "../lib/dom";
import { wireEnds } from "../lib/ends";
import { timeOfField } from "../lib/format";
import { t } from "../lib/i18n";
import type { Command } from "../lib/types";

export function wireOverride(code: string, onCommand: (command: Command) => void): void {
  const form = document.getElementById("override");
  if (!(form instanceof HTMLFormElement)) return; // a viewer has no form
  const until = need<HTMLInputElement>("until");
  const note = need("override-note");
  wireEnds(form, until);

  const send = async (path: string, body?: unknown): Promise<void> => {
    const buttons = form.querySelectorAll<HTMLButtonElement>("button");
    for (const button of buttons) button.disabled = true;
    setText(note, "");
    try {
      onCommand(await post<Command>(`/api/v1/poles/${encodeURIComponent(code)}/lamp/${path}`, body));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(note, error.message);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const end = timeOfField(until.value);
    if (end === null || end <= new Date()) {
      setText(note, t("override.end_past"));
      until.focus();
      return;
    }
    const level = Number(new FormData(form).get("level"));
    void send("override", { level, until: end.toISOString() });
  });
  need("auto").addEventListener("click", () => void send("auto"));
}
