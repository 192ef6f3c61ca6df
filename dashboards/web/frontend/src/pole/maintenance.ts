// People at the pole: tell its node until when, and when they are done.
import { ApiError, post } from "../lib/api";
import { confirmed } from "../lib/confirm";
import { need, setText } from "../lib/dom";
import { moment } from "../lib/format";
import { t } from "../lib/i18n";
import type { Command } from "../lib/types";

/** The strip over the lamp's state. The node's own word counts, and the end of the last command it took. */
export function showMaintenance(now: boolean, until: string | null): void {
  const strip = need("maintenance-strip");
  strip.hidden = !now && until === null;
  setText(strip, until === null ? t("pole.maintenance") : t("pole.maintenance_until", { until: moment(until) }));
}

export function wireMaintenance(code: string, onCommand: (command: Command) => void): void {
  const form = document.getElementById("maintenance");
  if (!(form instanceof HTMLFormElement)) return; // a viewer has no form
  const note = need("maintenance-note");
  const send = async (question: string, path: string, body?: unknown): Promise<void> => {
    if (!(await confirmed(question))) return;
    const buttons = form.querySelectorAll<HTMLButtonElement>("button");
    for (const button of buttons) button.disabled = true;
    setText(note, "");
    try {
      onCommand(await post<Command>(`/api/v1/poles/${encodeURIComponent(code)}/${path}`, body));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(note, error.message);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const minutes = Number(new FormData(form).get("minutes"));
    const until = new Date(Date.now() + minutes * 60_000).toISOString();
    void send(t("maintenance.ask", { code, until: moment(until) }), "maintenance", { until });
  });
  need("maintenance-end").addEventListener("click", () => void send(t("maintenance.ask_end", { code }), "maintenance/end"));
}
