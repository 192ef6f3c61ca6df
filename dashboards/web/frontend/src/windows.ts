// Maintenance windows: plan one, see what runs and what is to come, take one back.
import "./base";
import { get, post } from "./lib/api";
import { chosenCommune } from "./frame/commune";
import { confirmed } from "./lib/confirm";
import { h, need, setText } from "./lib/dom";
import { fieldTime, moment, timeOfField } from "./lib/format";
import { t, word } from "./lib/i18n";
import { setField } from "./lib/said_dates";
import type { List, MaintenanceWindow } from "./lib/types";
import { attempt, filled, said } from "./work/form";

const PATH = "/api/v1/maintenance-windows";
const HOUR_MS = 3_600_000;
const page = need("windows");
const mayPlan = page.dataset["mayPlan"] !== undefined;
const names = JSON.parse(page.dataset["communes"] ?? "{}") as Record<string, string>;
const several = Object.keys(names).length > 1;

async function read(): Promise<void> {
  const commune = chosenCommune() ?? "";
  const [current, over] = await Promise.all([
    get<List<MaintenanceWindow>>(`${PATH}?${new URLSearchParams({ commune })}`),
    get<List<MaintenanceWindow>>(`${PATH}?${new URLSearchParams({ commune, over: "true", limit: "20" })}`),
  ]);
  const now = new Date();
  draw("current", current.items, now);
  draw("over", over.items, now);
  need("over-block").hidden = over.items.length === 0;
}

function draw(id: string, items: readonly MaintenanceWindow[], now: Date): void {
  need(id).replaceChildren(
    ...(items.length === 0 ? [h("li", { class: "block quiet" }, t("windows.none"))] : items.map((one) => h("li", {}, card(one, now)))),
  );
}

function card(one: MaintenanceWindow, now: Date): HTMLElement {
  const over = one.cancelled_at !== null || new Date(one.ends_at) <= now;
  const runs = !over && new Date(one.starts_at) <= now;
  const state = one.cancelled_at !== null ? "cancelled" : over ? "over" : runs ? "runs" : "planned";
  const words = one.scope === "commune" ? t("scope.commune") : `${word("scope", one.scope)} ${one.name}`;
  const made = one.cancelled_by === null
    ? t("windows.made", { name: one.created_by })
    : t("windows.cancelled_by", { name: one.cancelled_by, time: moment(one.cancelled_at) });
  const box = h(
    "article", { class: `window-card is-${state}`, "data-id": one.id },
    h("p", { class: "window-where" }, h("strong", {}, words), h("span", { class: "sign is-plain" }, t(`windows.${state}`))),
    h("p", {}, `${moment(one.starts_at)} – ${moment(one.ends_at)}`),
    h("p", {}, one.why),
    several ? h("p", { class: "quiet" }, names[one.commune] ?? one.commune) : null,
    h("p", { class: "quiet" }, made),
  );
  if (!over && mayPlan) box.append(cancelForm(one, words));
  return box;
}

function cancelForm(one: MaintenanceWindow, words: string): HTMLElement {
  const form = h("form", {}, h("button", { type: "submit", class: "small-button" }, t("windows.cancel")), h("p", { class: "form-note", role: "alert" }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void (async () => {
      if (!(await confirmed(t("windows.cancel.ask", { place: words })))) return;
      if (await attempt(form, async () => void (await post(`${PATH}/${one.id}/cancel`)))) await read();
    })();
  });
  return form;
}

function wireForm(form: HTMLFormElement): void {
  const scope = need<HTMLSelectElement>("scope");
  const name = need<HTMLInputElement>("name");
  const nameField = need("name-field");
  const begin = need<HTMLInputElement>("starts_at");
  const end = need<HTMLInputElement>("ends_at");
  const suit = (): void => {
    nameField.hidden = scope.value === "commune";
    name.required = !nameField.hidden;
    name.value = "";
    name.setAttribute("list", `names-${scope.value}`);
    setText(need("name-label"), word("scope", scope.value));
  };
  const times = (): void => {
    const soon = new Date(Math.ceil(Date.now() / HOUR_MS) * HOUR_MS);
    setField(begin, fieldTime(soon));
    setField(end, fieldTime(new Date(soon.getTime() + 2 * HOUR_MS)));
  };
  scope.addEventListener("change", suit);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const from = timeOfField(begin.value);
    const to = timeOfField(end.value);
    if (from === null || to === null) return;
    const body = { ...filled(form), starts_at: from.toISOString(), ends_at: to.toISOString() };
    void attempt(form, async () => {
      await post(PATH, body);
      form.reset();
      suit();
      times();
      await read();
      said(form, t("windows.saved"));
    });
  });
  suit();
  times();
}

const form = document.getElementById("plan");
if (form instanceof HTMLFormElement) wireForm(form);
read().catch((error: unknown) => {
  if (!(error instanceof Error)) throw error;
  const trouble = need("trouble");
  trouble.hidden = false;
  setText(trouble, error.message);
});
