// Open incidents of the commune, newest first.
import { h, keepingFocus, need, setText } from "../lib/dom";
import { moment } from "../lib/format";
import { t, word } from "../lib/i18n";
import type { Incident } from "../lib/types";
import { since, title } from "../work/words";

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
    keepingFocus(this.list, () => this.draw());
  }

  private take(incident: Incident): void {
    if (incident.closed_at === null) this.open.set(incident.id, incident);
    else this.open.delete(incident.id);
  }

  private draw(): void {
    // What another open incident explains is told by that one: one feeder's outage, and not its thirty poles.
    const parts = new Map<number, number>();
    for (const { parent_id } of this.open.values()) {
      if (parent_id !== null) parts.set(parent_id, (parts.get(parent_id) ?? 0) + 1);
    }
    const byThemselves = [...this.open.values()].filter(({ parent_id }) => parent_id === null || !this.open.has(parent_id));
    const newest = byThemselves.sort((a, b) => b.opened_at.localeCompare(a.opened_at));
    const shown = this.unfolded ? newest : newest.slice(0, SHOWN_AT_FIRST);
    setText(this.count, String(newest.length));
    this.count.classList.toggle("is-alert", newest.length > 0);
    this.list.replaceChildren(
      ...(shown.length === 0
        ? [h("li", { class: "quiet" }, t("incidents.none"))]
        : shown.map((each) => h("li", { class: "incident-row", "data-key": each.id }, this.item(each, parts.get(each.id) ?? 0), this.link(each)))),
    );
    this.more.hidden = newest.length <= SHOWN_AT_FIRST;
    this.more.setAttribute("aria-expanded", String(this.unfolded));
    setText(this.more, this.unfolded ? t("incidents.fewer") : t("incidents.all", { count: newest.length }));
  }

  private link(incident: Incident): HTMLElement {
    const name = t("incidents.open_page", { title: title(incident) });
    return h("a", { class: "incident-open", href: `/incidents/${incident.id}`, "aria-label": name, title: name }, "›");
  }

  private item(incident: Incident, parts: number): HTMLElement {
    const button = h(
      "button", { type: "button", class: "incident", "data-kind": incident.kind },
      h("span", { class: "incident-title" }, title(incident)),
      h("span", { class: "incident-where" }, incident.pole ?? incident.originator),
      h("time", { class: "incident-since", datetime: since(incident) }, [t("incidents.since", { time: moment(since(incident)) }), ...notes(incident, parts)].join(" · ")),
    );
    button.addEventListener("click", () => this.onPick(incident));
    return button;
  }
}

function notes(incident: Incident, parts: number): string[] {
  const told: string[] = [];
  if (parts > 0) told.push(t("incident.parts.count", { count: parts }));
  if (incident.acknowledged_by !== null) told.push(t("incident.acknowledged_by", { name: incident.acknowledged_by }));
  if (incident.quiet_reason !== null) told.push(word("quiet", incident.quiet_reason));
  return told;
}
