// One incident: what it was judged by, what it explains, what people did, and what is left to do.
import "./base";
import { get, post } from "./lib/api";
import { confirmed } from "./lib/confirm";
import { h, need, setText } from "./lib/dom";
import { moment } from "./lib/format";
import { t, word } from "./lib/i18n";
import { follow } from "./lib/live";
import type { IncidentChange, IncidentDetail } from "./lib/types";
import { figures, sentence, technical } from "./work/evidence";
import { attempt, filled } from "./work/form";
import { lasting, row, signs, title, where } from "./work/words";

const place = need("incident");
const path = `/api/v1/incidents/${place.dataset["id"]}`;
const forms = ["acknowledge", "assign", "comments", "resolve"] as const;
let known: IncidentDetail | null = null;

function show(one: IncidentDetail): void {
  // An answer to a step and the news of it may cross: what is older is not drawn.
  if (known !== null && one.as_of_revision < known.as_of_revision) return;
  known = one;
  place.dataset["severity"] = one.severity;
  place.dataset["open"] = String(one.closed_at === null);
  setText(need("title"), title(one));
  setText(need("lasting"), lasting(one));
  need("signs").replaceChildren(h("span", { class: `sign is-${one.severity}` }, t(`severity.${one.severity}`)), ...signs(one, one.parts.length));
  showPlace(one);
  showEvidence(one);
  need("parts-block").hidden = one.parts.length === 0;
  setText(need("parts-count"), String(one.parts.length));
  need("parts").replaceChildren(...one.parts.map((part) => h("li", {}, row(part))));
  need("parent").replaceChildren(...(one.parent === null ? [] : [row(one.parent)]));
  need("parent-block").hidden = one.parent === null;
  need("history").replaceChildren(...[...one.history].reverse().map(step));
  showForms(one);
}

function showPlace(one: IncidentDetail): void {
  const { pole, place: at, hamlet, commune_name } = one.place;
  const words = [where(one), at, hamlet, commune_name].filter(Boolean).join(" · ");
  setText(need("place"), words);
  const link = need<HTMLAnchorElement>("pole-link");
  link.hidden = pole === null;
  if (pole !== null) {
    link.href = `/poles/${encodeURIComponent(pole)}`;
    setText(link, t("incident.pole", { code: pole }));
  }
}

function showEvidence(one: IncidentDetail): void {
  const said = sentence(one);
  setText(need("sentence"), said ?? "");
  need("sentence").hidden = said === null;
  const rows = figures(one.evidence);
  need("evidence").replaceChildren(...(rows.length === 0 && said === null ? [h("div", { class: "quiet" }, t("evidence.none"))] : rows));
  const more = technical({ ...one.evidence, ...one.closed_evidence });
  need("technical").hidden = more === "";
  setText(need("technical").querySelector("pre")!, more);
  const end = one.closed_evidence === null ? [] : figures(one.closed_evidence);
  need("closed-evidence").replaceChildren(...end);
  need("closed-block").hidden = end.length === 0;
}

function step(change: IncidentChange): HTMLElement {
  const group = change.detail["group"];
  const words = change.change === "closed" && change.by !== "" ? t("change.resolved") : word("change", change.change);
  return h(
    "li", { class: `change is-${change.change}` },
    h("p", {}, h("strong", {}, words), typeof group === "string" ? ` ${group}` : null),
    h("time", { datetime: change.at }, moment(change.at)),
    change.note === "" ? null : h("blockquote", {}, change.note),
    h("p", { class: "quiet" }, change.by === "" ? t("change.by_hub") : change.by),
  );
}

function showForms(one: IncidentDetail): void {
  if (document.getElementById("assign") === null) return; // a viewer has no forms
  const open = one.closed_at === null;
  need("acknowledge").hidden = !open || one.acknowledged_at !== null;
  need("assign").hidden = !open || one.groups.length === 0;
  need("resolve").hidden = !open;
  const select = need<HTMLSelectElement>("group");
  if (select.dataset["of"] === String(one.assigned_group) && select.options.length === one.groups.length) return;
  select.dataset["of"] = String(one.assigned_group);
  const chosen = one.assigned_group ?? (one.default_group || one.groups[0]);
  select.replaceChildren(...one.groups.map((name) =>
    h("option", { value: name, selected: name === chosen }, name === one.default_group ? t("assign.default", { name }) : name)));
  suitAssign();
}

/** Giving it to the group that has it already would change nothing. */
function suitAssign(): void {
  const same = need<HTMLSelectElement>("group").value === known?.assigned_group;
  need("assign").querySelector("button")!.disabled = same;
}

async function send(name: (typeof forms)[number], form: HTMLFormElement): Promise<void> {
  const body: Record<string, string | null> = filled(form);
  if (name === "resolve" && !(await confirmed(t("resolve.ask")))) return;
  if (name === "assign") body["instead_of"] = known?.assigned_group ?? null;
  await attempt(form, async () => {
    show(await post<IncidentDetail>(`${path}/${name}`, body));
    form.reset();
    if (known !== null && name === "assign") need<HTMLSelectElement>("group").value = known.assigned_group ?? "";
  });
  if (name === "assign") suitAssign(); // the form has just been unlocked
}

for (const name of forms) {
  const form = document.getElementById(name);
  if (!(form instanceof HTMLFormElement)) continue;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send(name, form);
  });
}

document.getElementById("group")?.addEventListener("change", suitAssign);

async function read(): Promise<number> {
  const one = await get<IncidentDetail>(path);
  show(one);
  return one.as_of_revision;
}

follow({
  read,
  incident: (news) => {
    const ours = news.id === known?.id || news.parent_id === known?.id || news.id === known?.parent_id;
    if (ours) void read().catch(() => undefined); // the stream's own state tells when the server is away
  },
});
window.setInterval(() => known && setText(need("lasting"), lasting(known)), 30_000);
