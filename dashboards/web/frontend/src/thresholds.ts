// Thresholds by kind, for one commune or for all: what holds, where it comes from, and a form to change it.
import "./base";
import { get, put, remove } from "./lib/api";
import { h, need, setText } from "./lib/dom";
import { percent, plain, span } from "./lib/format";
import { t, word } from "./lib/i18n";
import type { IncidentRule, List, Severity, Thresholds } from "./lib/types";
import { attempt, said } from "./work/form";
import { title } from "./work/words";

const SEVERITIES: readonly Severity[] = ["critical", "major", "minor"];
const page = need("thresholds");
const choice = need<HTMLSelectElement>("commune");

/** Where the rules of the chosen commune are; the empty one stands for all without their own. */
function path(kind?: string): string {
  const base = choice.value === "" ? "/api/v1/incident-rules" : `/api/v1/communes/${encodeURIComponent(choice.value)}/incident-rules`;
  return kind === undefined ? base : `${base}/${encodeURIComponent(kind)}`;
}

function mayChange(): boolean {
  return choice.value === "" ? page.dataset["mayAll"] !== undefined : page.dataset["mayOwn"] !== undefined;
}

async function read(): Promise<void> {
  const { items } = await get<List<IncidentRule>>(path());
  need("rules").replaceChildren(...items.map((rule) => h("li", {}, card(rule))));
}

function card(rule: IncidentRule): HTMLElement {
  const box = h("details", { class: "rule block", "data-kind": rule.kind });
  fill(box, rule);
  return box;
}

function fill(box: HTMLElement, rule: IncidentRule): void {
  box.replaceChildren(
    h(
      "summary", {},
      h("span", { class: "rule-title" }, title(rule)),
      h("span", { class: "rule-now quiet" }, inWords(rule.now)),
      h("span", { class: `sign is-${rule.source === "default" ? "plain" : "ok"}` }, t(`rule.source.${rule.source}`)),
    ),
    form(box, rule),
  );
}

function inWords(now: Thresholds): string {
  if (!now.enabled) return t("rule.off");
  return [
    now.hold_off_s === 0 ? t("rule.opens.at_once") : t("rule.opens", { time: span(now.hold_off_s) }),
    now.clear_after_s === 0 ? t("rule.closes.at_once") : t("rule.closes", { time: span(now.clear_after_s) }),
    t(`severity.${now.severity}`),
  ].join(" · ");
}

function form(box: HTMLElement, rule: IncidentRule): HTMLElement {
  const { now, inherited, bounds } = rule;
  const may = mayChange();
  const number = (name: string, label: string, value: number, from: number, [low, high]: [number, number]): HTMLElement => {
    const by = scale(name);
    const field = h("input", {
      type: "number", name, value: shown(name, value), min: shown(name, low), max: shown(name, high), step: "any", required: true, disabled: !may,
    });
    const note = h("small", { class: "quiet" });
    // 14400 seconds are four hours: said as they are typed.
    const say = (): void => {
      const inherited = t("rule.inherited", { value: spoken(name, from) });
      setText(note, name.endsWith("_s") && field.value !== "" ? `= ${span(field.valueAsNumber / by)} · ${inherited}` : inherited);
    };
    field.addEventListener("input", say);
    say();
    return h("label", { class: "field" }, by === 1 ? label : `${label} (%)`, field, note);
  };
  const severity = h("select", { name: "severity", disabled: !may }, ...SEVERITIES.map((each) =>
    h("option", { value: each, selected: each === now.severity }, t(`severity.${each}`))));
  const enabled = h("input", { type: "checkbox", name: "enabled", checked: now.enabled, disabled: !may });
  const place = h(
    "form", { class: "rule-form" },
    h("label", { class: "check" }, enabled, t("rule.enabled")),
    number("hold_off_s", t("rule.hold_off"), now.hold_off_s, inherited.hold_off_s, [0, WEEK_S]),
    number("clear_after_s", t("rule.clear_after"), now.clear_after_s, inherited.clear_after_s, [0, WEEK_S]),
    ...Object.entries(now.params).map(([name, value]) =>
      number(`params.${name}`, word("param", name), value, inherited.params[name] ?? value, bounds[name] ?? [0, 1e6])),
    h("label", { class: "field" }, t("rule.severity"), severity),
    may ? buttons(box, rule) : h("p", { class: "quiet" }, t("rule.viewer")),
    h("p", { class: "form-note", role: "alert" }),
  );
  place.addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(place, async () => taken(box, await put<IncidentRule>(path(rule.kind), wish(place))));
  });
  return place;
}

function buttons(box: HTMLElement, rule: IncidentRule): HTMLElement {
  const own = choice.value === "" ? rule.source === "hub" : rule.source === "commune";
  const reset = h("button", { type: "button", class: "button", disabled: !own }, t("rule.reset"));
  reset.addEventListener("click", () => {
    const place = reset.closest("form")!;
    void attempt(place, async () => taken(box, await remove<IncidentRule>(path(rule.kind))));
  });
  return h("div", { class: "actions" }, h("button", { type: "submit", class: "button primary" }, t("rule.save")), reset);
}

function taken(box: HTMLElement, rule: IncidentRule): void {
  fill(box, rule);
  said(box, t("rule.saved"));
}

function wish(form: HTMLFormElement): Thresholds {
  const value = (field: HTMLInputElement): number => Number((field.valueAsNumber / scale(field.name)).toFixed(6));
  const of = (name: string): number => value(form.querySelector<HTMLInputElement>(`[name="${name}"]`)!);
  const params = [...form.querySelectorAll<HTMLInputElement>('[name^="params."]')]
    .map((field) => [field.name.slice("params.".length), value(field)] as const);
  return {
    hold_off_s: of("hold_off_s"),
    clear_after_s: of("clear_after_s"),
    params: Object.fromEntries(params),
    severity: form.querySelector<HTMLSelectElement>("[name=severity]")!.value as Severity,
    enabled: form.querySelector<HTMLInputElement>("[name=enabled]")!.checked,
  };
}

/** A share stands in its field as people say it, in per cent. */
function scale(name: string): number {
  return name.endsWith("_share") ? 100 : 1;
}

function shown(name: string, value: number): number {
  return Number((value * scale(name)).toFixed(6));
}

function spoken(name: string, value: number): string {
  if (name.endsWith("_s")) return span(value);
  return name.endsWith("_share") ? percent(value) : plain(value);
}

function load(): void {
  read().catch((error: unknown) => {
    if (!(error instanceof Error)) throw error;
    const trouble = need("trouble");
    trouble.hidden = false;
    setText(trouble, error.message);
  });
}

const WEEK_S = 7 * 86_400;
choice.addEventListener("change", () => {
  // In the address, so that what is on the screen can be sent to somebody.
  const query = choice.value === "" ? "" : `?${new URLSearchParams({ commune: choice.value })}`;
  history.replaceState(null, "", location.pathname + query);
  load();
});
load();
