// The legend: what the signs mean, how many there are, and a press shows only those.
import { glyph, h, setText } from "../lib/dom";
import { t } from "../lib/i18n";
import type { LampState } from "../lib/types";
import type { Filter } from "./filter";

const ORDER: readonly LampState[] = ["lit", "dark", "on_by_day", "off", "unknown"];

export class Legend {
  private readonly numbers = new Map<LampState, HTMLElement>();

  constructor(place: HTMLElement, filter: Filter) {
    for (const state of ORDER) {
      const number = h("span", { class: "legend-count" }, "0");
      const button = h(
        "button",
        { type: "button", class: "legend-item", "aria-pressed": "false", "data-state": state, title: t(`state.${state}.long`) },
        h("span", { class: "legend-name" }, t(`state.${state}`)), number,
      );
      button.prepend(glyph(state));
      button.addEventListener("click", () => filter.toggle(state));
      filter.onChange(() => button.setAttribute("aria-pressed", String(filter.has(state))));
      this.numbers.set(state, number);
      place.append(button);
    }
  }

  update(counts: Record<LampState, number>): void {
    for (const [state, number] of this.numbers) {
      setText(number, String(counts[state]));
      number.parentElement?.classList.toggle("is-zero", counts[state] === 0);
    }
  }
}
