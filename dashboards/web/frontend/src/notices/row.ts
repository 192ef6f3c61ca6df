// One row of a list: a title, lines below it, buttons beside it.
import { ApiError } from "../lib/api";
import { h } from "../lib/dom";

export interface Row {
  title: string;
  notes?: (string | null)[];
  problem?: string;
  state?: string;
  buttons?: HTMLElement[];
}

export function row({ title, notes = [], problem = "", state = "", buttons = [] }: Row): HTMLLIElement {
  return h(
    "li", { class: state ? `row is-${state}` : "row" },
    h("p", { class: "row-title" }, title),
    ...notes.filter((note) => note).map((note) => h("p", { class: "row-note" }, note)),
    problem ? h("p", { class: "row-problem" }, problem) : null,
    buttons.length > 0 ? h("div", { class: "row-actions" }, ...buttons) : null,
  );
}

/** A button that waits for its work, and says in `note` what went wrong. */
export function button(label: string, note: HTMLElement, work: () => Promise<void>): HTMLButtonElement {
  const made = h("button", { type: "button", class: "small-button" }, label);
  made.addEventListener("click", () => {
    made.disabled = true;
    say(note, "");
    work()
      .catch((error: unknown) => complain(note, error))
      .finally(() => (made.disabled = false));
  });
  return made;
}

export function say(note: HTMLElement, text: string, wrong = false): void {
  note.textContent = text;
  note.classList.toggle("is-wrong", wrong);
}

export function complain(note: HTMLElement, error: unknown): void {
  if (!(error instanceof ApiError)) throw error;
  say(note, error.message, true);
}
