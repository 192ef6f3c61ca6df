// The card of the pole that was picked: the answer to "what about this one?", with the way to its page.
import { glyph, h, keepingFocus, need } from "../lib/dom";
import { moment, percent, volts, watts } from "../lib/format";
import { t, word } from "../lib/i18n";
import type { PoleSummary } from "../lib/types";

export class PoleCard {
  private readonly card = need("card");
  private code: string | null = null;

  constructor(private readonly onClose: () => void) {
    this.card.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.onClose();
    });
  }

  show(pole: PoleSummary): void {
    this.code = pole.code;
    this.card.dataset["state"] = pole.state;
    this.card.replaceChildren(this.head(pole), this.facts(pole), ...this.notes(pole), this.link(pole));
    this.card.hidden = false;
  }

  /** Draw the news of the pole that is shown, if it is among them. */
  update(changed: ReadonlySet<string>, get: (code: string) => PoleSummary | undefined): void {
    if (this.code === null || !changed.has(this.code)) return;
    const pole = get(this.code);
    if (!pole) return;
    keepingFocus(this.card, () => this.show(pole));
  }

  hide(): void {
    this.code = null;
    this.card.hidden = true;
  }

  private head(pole: PoleSummary): HTMLElement {
    const close = h("button", { type: "button", class: "card-close", "aria-label": t("card.close") }, "×");
    close.addEventListener("click", () => this.onClose());
    const state = h("p", { class: "card-state" }, h("strong", {}, t(`state.${pole.state}`)));
    state.prepend(glyph(pole.state));
    return h(
      "header", { class: "card-head" },
      h("div", {}, h("h2", {}, pole.code), h("p", { class: "card-place" }, placeLine(pole))), close, state,
    );
  }

  private facts(pole: PoleSummary): HTMLElement {
    const level = pole.level === null ? "–" : percent(pole.level);
    const why = pole.reason === null ? "" : ` · ${word("reason", pole.reason)}`;
    return h(
      "dl", { class: "card-facts" },
      fact(t("card.measured"), `${watts(pole.power_w)} · ${volts(pole.voltage_v)}`),
      fact(t("card.level"), level + why),
      fact(t("card.seen"), moment(pole.last_seen_at ?? pole.sample_at)),
    );
  }

  private notes(pole: PoleSummary): HTMLElement[] {
    const notes: string[] = [];
    if (pole.override_until !== null && new Date(pole.override_until) > new Date()) {
      notes.push(t("card.override", { until: moment(pole.override_until) }));
    }
    if (pole.open_incidents > 0) notes.push(t("card.incidents", { count: pole.open_incidents }));
    for (const camera of pole.cameras) {
      if (camera.reachable === false) notes.push(t("card.camera_lost", { code: camera.code }));
    }
    return notes.length === 0 ? [] : [h("ul", { class: "card-notes" }, ...notes.map((note) => h("li", {}, note)))];
  }

  private link(pole: PoleSummary): HTMLElement {
    return h("a", { class: "button primary card-link", href: `/poles/${encodeURIComponent(pole.code)}` }, t("card.open"));
  }
}

function placeLine(pole: PoleSummary): string {
  return [pole.place, pole.hamlet].filter(Boolean).join(" · ");
}

function fact(name: string, value: string): HTMLElement {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value));
}
