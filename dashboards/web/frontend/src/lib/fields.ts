// What is wrong with a field stands beside it, in the page's language: the browser's own bubbles speak the
// browser's, name one field at a time and go away by themselves.
import { h } from "./dom";
import { language, t } from "./i18n";

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

let told = false;

/** Once per page; forms that are made later are looked after as well. */
export function wireFields(): void {
  document.addEventListener("invalid", (event) => {
    if (!isControl(event.target)) return;
    event.preventDefault();
    complain(event.target, wrong(event.target));
    if (told) return;
    told = true; // one submit complains of all its fields: the first gets the focus
    reveal(event.target);
    window.setTimeout(() => (told = false));
  }, { capture: true });
  for (const name of ["input", "change"] as const) document.addEventListener(name, ({ target }) => isControl(target) && settle(target));
  document.addEventListener("reset", ({ target }) => {
    if (target instanceof HTMLFormElement) for (const each of target.elements) if (isControl(each)) settle(each);
  });
}

/** Put a sentence beside a control. */
export function complain(control: Control, sentence: string): void {
  settle(control);
  control.setAttribute("aria-invalid", "true");
  const place = control.closest("label");
  const note = h("small", { class: "field-error" }, sentence);
  if (place !== null) place.append(note);
  else control.after(note);
}

/** The control of a form that a problem's `loc` such as `body.params.high_c` speaks of, if it has one. */
export function controlOf(form: HTMLElement, loc: string): Control | null {
  const name = CSS.escape(loc.replace(/^body\./, ""));
  const found = form.querySelector(`[name="${name}"], #${name}`);
  return isControl(found) && found.type !== "hidden" && found.closest("[hidden]") === null ? found : null;
}

export function reveal(control: Control): void {
  for (let fold = control.closest("details"); fold !== null; fold = fold.parentElement?.closest("details") ?? null) fold.open = true;
  control.focus();
}

function settle(control: Control): void {
  if (!control.hasAttribute("aria-invalid")) return;
  control.removeAttribute("aria-invalid");
  const place = control.closest("label") ?? control.parentElement;
  place?.querySelectorAll(":scope > .field-error").forEach((note) => note.remove());
}

function isControl(target: unknown): target is Control {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}

function wrong(control: Control): string {
  const { validity } = control;
  const own = control.dataset["wrong"];
  if (validity.badInput) return control.type === "number" ? t("field.number") : t("field.time");
  if (validity.valueMissing) return control instanceof HTMLSelectElement || control.type === "radio" ? t("field.choose") : t("field.missing");
  if (own !== undefined) return own;
  if (validity.typeMismatch) return control.type === "url" ? t("field.url") : t("field.wrong");
  if (control instanceof HTMLSelectElement) return t("field.wrong");
  if (validity.tooShort) return t("field.short", { count: control.minLength });
  if (validity.tooLong) return t("field.long", { count: control.maxLength });
  if (control instanceof HTMLTextAreaElement) return t("field.wrong");
  if (validity.rangeUnderflow || validity.rangeOverflow) return bounds(control);
  return validity.stepMismatch ? t("field.whole") : t("field.wrong");
}

function bounds({ min, max, type, validity }: HTMLInputElement): string {
  if (type !== "number") return t("field.time");
  if (min !== "" && max !== "") return t("field.between", { low: number(min), high: number(max) });
  return validity.rangeUnderflow ? t("field.least", { low: number(min) }) : t("field.most", { high: number(max) });
}

function number(text: string): string {
  return Number(text).toLocaleString(language === "en" ? "en-GB" : "vi-VN", { maximumFractionDigits: 6 });
}
