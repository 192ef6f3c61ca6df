// The part of a form that says what somebody may do and where. "Only these communes" with none chosen is refused
// here: to the hub no commune means the whole hub, and nobody should get that by leaving a box empty.
import { need, setText } from "../lib/dom";
import { t } from "../lib/i18n";

export type Role = "viewer" | "staff" | "admin";

export interface Access {
  role: Role;
  communes: string[];
}

export interface AccessFields {
  element: HTMLElement;
  /** What is chosen; null, with the reason shown beside the field, where something is missing. */
  read: () => Access | null;
  reset: () => void;
}

let made = 0;

export function accessFields(start: Access): AccessFields {
  const element = document.createElement("div");
  element.className = "access";
  element.append(need<HTMLTemplateElement>("access").content.cloneNode(true));
  const role = element.querySelector<HTMLSelectElement>("[name=role]")!;
  const radios = [...element.querySelectorAll<HTMLInputElement>("[name=where]")];
  const boxes = [...element.querySelectorAll<HTMLInputElement>("[name=communes]")];
  const missing = element.querySelector<HTMLElement>("[data-none]")!;
  const group = `where-${++made}`;
  for (const radio of radios) radio.name = group; // each form's choice is its own

  const some = (): boolean => role.value !== "admin" && radios.some((radio) => radio.checked && radio.value === "some");
  const suit = (): void => {
    element.querySelector<HTMLElement>(".where")!.hidden = role.value === "admin";
    element.querySelector<HTMLElement>(".some")!.hidden = !some();
    setText(element.querySelector("[data-role-note]")!, t(`role.${role.value as Role}.may`));
    if (boxes.some((box) => box.checked)) missing.hidden = true;
  };
  const reset = (): void => {
    role.value = start.role;
    for (const radio of radios) radio.checked = radio.value === (start.communes.length > 0 ? "some" : "whole");
    for (const box of boxes) box.checked = start.communes.includes(box.value);
    missing.hidden = true;
    suit();
  };
  element.addEventListener("change", suit);
  element.querySelector("[data-find]")?.addEventListener("input", (event) => find(boxes, (event.target as HTMLInputElement).value));
  reset();
  return {
    element,
    reset,
    read: () => {
      const communes = some() ? boxes.filter((box) => box.checked).map((box) => box.value) : [];
      missing.hidden = !some() || communes.length > 0;
      if (!missing.hidden) {
        boxes[0]?.focus();
        return null;
      }
      return { role: role.value as Role, communes };
    },
  };
}

function find(boxes: readonly HTMLInputElement[], text: string): void {
  const words = folded(text).split(/\s+/);
  for (const box of boxes) {
    const label = box.closest<HTMLElement>("label")!;
    const known = folded(label.dataset["words"] ?? "");
    // What is chosen stays in sight, whatever is looked for.
    label.hidden = !box.checked && !words.every((word) => known.includes(word));
  }
}

/** Without accents and in small letters: "Trạm Thản" is found by "tram than". */
function folded(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase();
}
