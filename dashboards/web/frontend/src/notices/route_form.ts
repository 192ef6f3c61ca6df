// The form of one route: from the fields to what the API takes, and back.
import { h, need } from "../lib/dom";
import { t } from "../lib/i18n";
import type { Route, RouteWish, Severity } from "./types";

const NEW: RouteWish = {
  name: "", enabled: true, commune: "", hamlet: "", group: "", kinds: [], least_severity: "minor", channels: [],
  language: "vi", at_once: true, digest_at: null, quiet_from: null, quiet_until: null, quiet_passes: "critical",
  escalate_after_min: null, escalate_to: null, for_escalation: false,
};

export class RouteForm {
  readonly element = need<HTMLFormElement>("route-form");

  /** Show a route, or an empty one; `others` may be escalated to. */
  fill(route: Route | null, others: Route[], channels: string[]): void {
    const shown: RouteWish = route ?? NEW;
    // A channel that was taken out of the file stays visible where a route still names it.
    const names = [...new Set([...channels, ...shown.channels])];
    need("route-channels").replaceChildren(
      ...(names.length === 0 ? [h("p", { class: "quiet" }, t("notices.notifier.no_channels"))] : []),
      ...names.map((name) => h(
        "label", { class: "check" },
        h("input", { type: "checkbox", name: "channels", value: name, checked: shown.channels.includes(name) }), name,
      )),
    );
    this.select("escalate_to").replaceChildren(
      h("option", { value: "" }, t("notices.nobody")),
      ...others.filter((one) => one.id !== route?.id).map((one) => h("option", { value: String(one.id) }, one.name)),
    );
    for (const name of ["commune", "hamlet", "group", "least_severity", "quiet_passes", "language"] as const) {
      this.select(name).value = shown[name];
    }
    this.select("escalate_to").value = shown.escalate_to === null ? "" : String(shown.escalate_to);
    this.input("name").value = shown.name;
    for (const name of ["digest_at", "quiet_from", "quiet_until"] as const) this.input(name).value = shown[name] ?? "";
    this.input("escalate_after_min").value = shown.escalate_after_min === null ? "" : String(shown.escalate_after_min);
    for (const name of ["at_once", "for_escalation", "enabled"] as const) this.input(name).checked = shown[name];
    for (const box of this.boxes("kinds")) box.checked = shown.kinds.includes(box.value);
  }

  read(): RouteWish {
    const after = this.input("escalate_after_min").value;
    const to = this.select("escalate_to").value;
    return {
      name: this.input("name").value,
      enabled: this.input("enabled").checked,
      commune: this.select("commune").value,
      hamlet: this.select("hamlet").value,
      group: this.select("group").value,
      kinds: checkedOf(this.boxes("kinds")),
      least_severity: this.select("least_severity").value as Severity,
      channels: checkedOf(this.boxes("channels")),
      language: this.select("language").value === "en" ? "en" : "vi",
      at_once: this.input("at_once").checked,
      digest_at: this.input("digest_at").value || null,
      quiet_from: this.input("quiet_from").value || null,
      quiet_until: this.input("quiet_until").value || null,
      quiet_passes: this.select("quiet_passes").value as Severity,
      escalate_after_min: after === "" ? null : Number(after),
      escalate_to: to === "" ? null : Number(to),
      for_escalation: this.input("for_escalation").checked,
    };
  }

  private input(name: string): HTMLInputElement {
    return this.element.querySelector<HTMLInputElement>(`input[name=${name}]`)!;
  }

  private select(name: string): HTMLSelectElement {
    return this.element.querySelector<HTMLSelectElement>(`select[name=${name}]`)!;
  }

  private boxes(name: string): HTMLInputElement[] {
    return [...this.element.querySelectorAll<HTMLInputElement>(`input[name=${name}]`)];
  }
}

function checkedOf(boxes: HTMLInputElement[]): string[] {
  return boxes.filter((box) => box.checked).map((box) => box.value);
}
