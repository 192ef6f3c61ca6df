// Forms that post to the API: locked while they wait, and what the server says stands under them.
import { ApiError } from "../lib/api";
import { setText } from "../lib/dom";
import { complain, controlOf, reveal } from "../lib/fields";
import { t } from "../lib/i18n";

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
    setText(note, showBeside(form, error) ? t("field.see") : error.message);
    return false;
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

/** Each field's error beside it; whether every one of them has found its place. */
function showBeside(form: HTMLElement, { fields }: ApiError): boolean {
  const placed = fields.map(({ loc, text }) => ({ control: controlOf(form, loc), text }));
  for (const { control, text } of placed) if (control !== null) complain(control, text);
  const first = placed.find(({ control }) => control !== null)?.control;
  if (first) reveal(first);
  return placed.length > 0 && placed.every(({ control }) => control !== null);
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
