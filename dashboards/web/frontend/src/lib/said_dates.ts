// A browser writes a date field in its own language's order, so 11/12 may be read as either month. Below each
// such field its value stands in words that can't be misread.
import { h, setText } from "./dom";
import { inWords } from "./format";

export function wireDates(): void {
  for (const field of document.querySelectorAll<HTMLInputElement>("input[type=date], input[type=datetime-local]")) {
    const place = h("small", { class: "quiet said-date" });
    field.after(place);
    const say = (): void => setText(place, inWords(field.value));
    for (const name of ["input", "change", "said"] as const) field.addEventListener(name, say);
    field.form?.addEventListener("reset", () => window.setTimeout(say));
    // Scripts fill fields as well; whoever does says so with an event of this name.
    window.setTimeout(say);
  }
}

/** Set a date field from a script. */
export function setField(field: HTMLInputElement, value: string): void {
  field.value = value;
  field.dispatchEvent(new Event("said"));
}
