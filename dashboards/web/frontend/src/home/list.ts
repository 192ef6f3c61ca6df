// The list of poles: the keyboard's and the screen reader's way to the same lamps as on the map.
import { glyph, h, setGlyph, setText } from "../lib/dom";
import { watts } from "../lib/format";
import { t } from "../lib/i18n";
import type { Poles } from "../lib/poles";
import type { PoleSummary } from "../lib/types";
import type { Filter } from "./filter";

interface Row {
  item: HTMLLIElement;
  button: HTMLButtonElement;
  sign: SVGSVGElement;
  place: HTMLElement;
  state: HTMLElement;
  power: HTMLElement;
  drawn: PoleSummary;
}

export class PoleList {
  private readonly rows = new Map<string, Row>();

  constructor(
    private readonly list: HTMLElement,
    private readonly shownCount: HTMLElement,
    private readonly poles: Poles,
    private readonly filter: Filter,
    private readonly onPick: (pole: PoleSummary) => void,
  ) {
    list.addEventListener("keydown", (event) => this.walk(event));
  }

  /** Draw what changed; rows of poles without news stay untouched. */
  update(changed: ReadonlySet<string>): void {
    let added = false;
    for (const code of changed) {
      const pole = this.poles.get(code);
      if (!pole) continue;
      const row = this.rows.get(code);
      if (row) this.redraw(row, pole);
      else {
        this.rows.set(code, this.build(pole));
        added = true;
      }
    }
    if (added) this.arrange();
    this.applyFilter(changed);
  }

  applyFilter(only?: ReadonlySet<string>): void {
    for (const [code, row] of this.rows) {
      if (only && !only.has(code)) continue;
      const hidden = !this.filter.shows(row.drawn);
      if (row.item.hidden !== hidden) row.item.hidden = hidden;
    }
    let shown = 0;
    for (const row of this.rows.values()) if (!row.item.hidden) shown += 1;
    setText(this.shownCount, t("list.shown", { shown, all: this.rows.size }));
  }

  select(code: string | null): void {
    for (const [each, row] of this.rows) {
      if (each === code) row.button.setAttribute("aria-current", "true");
      else row.button.removeAttribute("aria-current");
    }
    const row = code === null ? undefined : this.rows.get(code);
    // On a phone the list lies below the map: scrolling to it would take the map away.
    if (row && window.matchMedia("(min-width: 60rem)").matches) row.item.scrollIntoView({ block: "nearest" });
  }

  focus(code: string): void {
    this.rows.get(code)?.button.focus();
  }

  private build(pole: PoleSummary): Row {
    const sign = glyph(pole.state);
    const place = h("span", { class: "row-place" });
    const state = h("span", { class: "row-state" });
    const power = h("span", { class: "row-power" });
    const button = h(
      "button", { type: "button", class: "row", "data-code": pole.code },
      h("span", { class: "row-code" }, pole.code), place, state, power,
    );
    button.prepend(sign);
    button.addEventListener("click", () => {
      const known = this.poles.get(pole.code);
      if (known) this.onPick(known);
    });
    const row: Row = { item: h("li", {}, button), button, sign, place, state, power, drawn: pole };
    this.redraw(row, pole);
    return row;
  }

  private redraw(row: Row, pole: PoleSummary): void {
    row.drawn = pole;
    if (row.button.dataset["state"] !== pole.state) {
      row.button.dataset["state"] = pole.state;
      setGlyph(row.sign, pole.state);
      setText(row.state, t(`state.${pole.state}`));
    }
    setText(row.place, pole.place);
    setText(row.power, pole.state === "unknown" ? "" : watts(pole.power_w));
  }

  private arrange(): void {
    const codes = [...this.rows.keys()].sort((a, b) => a.localeCompare(b, "vi", { numeric: true }));
    this.list.replaceChildren(...codes.map((code) => this.rows.get(code)!.item));
  }

  /** Up and down go from row to row; Tab leaves row by row as everywhere. */
  private walk(event: KeyboardEvent): void {
    const forward = event.key === "ArrowDown";
    if (!forward && event.key !== "ArrowUp") return;
    const here = (event.target as Element).closest("li");
    let next = forward ? here?.nextElementSibling : here?.previousElementSibling;
    while (next instanceof HTMLLIElement && next.hidden) {
      next = forward ? next.nextElementSibling : next.previousElementSibling;
    }
    if (!next) return;
    event.preventDefault();
    next.querySelector("button")?.focus();
  }
}
