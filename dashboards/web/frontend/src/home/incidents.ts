// Open incidents of the commune, newest first.
import { h, need, setText } from "../lib/dom";
import { moment } from "../lib/format";
import { language, t } from "../lib/i18n";
import type { Incident } from "../lib/types";

const SHOWN_AT_FIRST = 4;

export class Incidents {
  private readonly open = new Map<number, Incident>();
  private readonly list = need("incidents");
  private readonly count = need("incident-count");
  private readonly more = need<HTMLButtonElement>("incidents-more");
  private unfolded = false;

  constructor(private readonly onPick: (incident: Incident) => void) {
    this.more.addEventListener("click", () => {
      this.unfolded = !this.unfolded;
      this.draw();
    });
  }

  reset(items: readonly Incident[]): void {
    this.open.clear();
    for (const incident of items) this.take(incident);
    this.draw();
  }

  update(incident: Incident): void {
    this.take(incident);
    this.draw();
  }

  private take(incident: Incident): void {
    if (incident.closed_at === null) this.open.set(incident.id, incident);
    else this.open.delete(incident.id);
  }

  private draw(): void {
    const newest = [...this.open.values()].sort((a, b) => b.opened_at.localeCompare(a.opened_at));
    const shown = this.unfolded ? newest : newest.slice(0, SHOWN_AT_FIRST);
    setText(this.count, String(newest.length));
    this.count.classList.toggle("is-alert", newest.length > 0);
    this.list.replaceChildren(
      ...(shown.length === 0
        ? [h("li", { class: "quiet" }, t("incidents.none"))]
        : shown.map((each) => h("li", {}, this.item(each)))),
    );
    this.more.hidden = newest.length <= SHOWN_AT_FIRST;
    this.more.setAttribute("aria-expanded", String(this.unfolded));
    setText(this.more, this.unfolded ? t("incidents.fewer") : t("incidents.all", { count: newest.length }));
  }

  private item(incident: Incident): HTMLElement {
    const button = h(
      "button", { type: "button", class: "incident", "data-kind": incident.kind },
      h("span", { class: "incident-title" }, language === "en" ? incident.title_en : incident.title_vi),
      h("span", { class: "incident-where" }, incident.pole ?? incident.originator),
      h("time", { class: "incident-since", datetime: incident.opened_at }, t("incidents.since", { time: moment(incident.opened_at) })),
    );
    button.addEventListener("click", () => this.onPick(incident));
    return button;
  }
}
