// Forms that post to the API: locked while they wait, and what the server says stands under them.
import { ApiError } from "../lib/api";
import { setText } from "../lib/dom";

/** Run one request of a form; says in its note what went wrong. Resolves to whether it went well. */
export async function attempt(form: HTMLElement, request: () => Promise<void>): Promise<boolean> {
  const note = form.querySelector<HTMLElement>(".form-note")!;
  const buttons = [...form.querySelectorAll<HTMLButtonElement>("button")].filter((button) => !button.disabled);
  for (const button of buttons) button.disabled = true;
  setText(note, "");
  try {
    await request();
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    note.classList.add("is-wrong");
    setText(note, error.message);
    return false;
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

export function said(form: HTMLElement, text: string): void {
  const note = form.querySelector<HTMLElement>(".form-note")!;
  note.classList.remove("is-wrong");
  setText(note, text);
}

/** What stands in a form, without what was left empty. */
export function filled(form: HTMLFormElement): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && value.trim() !== "") found[name] = value.trim();
  }
  return found;
}
