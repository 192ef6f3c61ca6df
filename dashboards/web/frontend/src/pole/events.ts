// What the node told beside its samples, newest first.
import { h, need } from "../lib/dom";
import { moment } from "../lib/format";
import { language, t } from "../lib/i18n";
import type { NodeEvent } from "../lib/types";

export function showEvents(events: readonly NodeEvent[]): void {
  need("node-events").replaceChildren(
    ...(events.length === 0 ? [h("li", { class: "quiet" }, t("pole.events.none"))] : events.map(line)),
  );
}

function line(event: NodeEvent): HTMLElement {
  const title = language === "en" ? event.title_en : event.title_vi;
  const notes = [
    event.camera,
    event.active === null ? null : event.active ? t("pole.events.began") : t("pole.events.ended"),
    event.historical ? t("pole.events.late") : null,
  ].filter((note) => note !== null);
  const look = event.active === null ? "moment" : event.active ? "began" : "ended";
  return h(
    "li", { class: `event-line is-${look}`, "data-kind": event.kind },
    h("span", { class: "event-title" }, title),
    h("span", { class: "note" }, notes.join(" · ")),
    h("time", { datetime: event.at }, moment(event.at)),
  );
}
