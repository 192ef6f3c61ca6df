// The list of incidents: filters in the address, so that a found list can be handed on; live.
import "./base";
import { get } from "./lib/api";
import { h, keepingFocus, need, setText } from "./lib/dom";
import { timeOfField } from "./lib/format";
import { t } from "./lib/i18n";
import { follow } from "./lib/live";
import { whenReleased } from "./lib/press";
import type { IncidentPage, IncidentRow, PoleList } from "./lib/types";
import { filled } from "./work/form";
import { row } from "./work/words";

const PAGE = 50;
const CALM_MS = 400;

const form = need<HTMLFormElement>("filters");
const list = need("incidents");
/** Where all communes are shown together, each row says which one it is of. */
const communes = JSON.parse(list.dataset["communes"] ?? "{}") as Record<string, string>;
const several = Object.keys(communes).length > 1;
const more = need<HTMLButtonElement>("more");
let shown: IncidentRow[] = [];
let next: string | null = null;
let asked = 0;
let waiting: number | undefined;

function query(): URLSearchParams {
  const wanted = new URLSearchParams({ folded: "true" });
  for (const [name, value] of Object.entries(filled(form))) {
    if (name === "start" || name === "end") {
      const at = timeOfField(`${value}T00:00`);
      if (at === null) continue;
      // A period ends with the end of its last day.
      wanted.set(name, new Date(at.getTime() + (name === "end" ? 86_400_000 : 0)).toISOString());
    } else {
      wanted.set(name, name === "pole" ? value.toUpperCase() : value);
    }
  }
  return wanted;
}

async function load(cursor: string | null): Promise<void> {
  const turn = ++asked;
  const wanted = query();
  // News keeps as many rows as the person has already unfolded.
  wanted.set("limit", String(cursor === null ? Math.max(PAGE, Math.min(shown.length, 1000)) : PAGE));
  if (cursor !== null) wanted.set("cursor", cursor);
  const page = await get<IncidentPage>(`/api/v1/incidents?${wanted}`);
  if (turn !== asked) return; // a newer question is on its way
  shown = cursor === null ? page.items : [...shown, ...page.items];
  next = page.next_cursor;
  whenReleased(() => keepingFocus(list, draw));
}

function draw(): void {
  list.replaceChildren(
    ...(shown.length === 0
      ? [h("li", { class: "block quiet" }, t("incidents.found.none"))]
      : shown.map((each) => h("li", { "data-key": each.id }, row(each, { ...each, place: placed(each) })))),
  );
  more.hidden = next === null;
  const count = next === null ? String(shown.length) : `${shown.length}+`;
  setText(need("found"), t("incidents.found", { count }));
}

function placed({ place, commune }: IncidentRow): string {
  return [place, several ? communes[commune] : ""].filter(Boolean).join(", ");
}

function again(): void {
  window.clearTimeout(waiting);
  waiting = window.setTimeout(() => void load(null).catch(() => undefined), CALM_MS);
}

/** The filters of the address, as somebody sent it. */
function restore(): void {
  for (const [name, value] of new URLSearchParams(location.search)) {
    const field = form.elements.namedItem(name);
    if (field instanceof RadioNodeList) field.value = value;
    else if (field instanceof HTMLInputElement && field.type === "checkbox") field.checked = field.value === value;
    else if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = value;
  }
  const used = [...form.querySelectorAll<HTMLInputElement>(".filters-more input")];
  form.querySelector("details")!.open = used.some((each) => (each.type === "checkbox" ? each.checked : each.value !== ""));
}

function changed(): void {
  history.replaceState(null, "", `?${new URLSearchParams(filled(form))}`);
  shown = [];
  again();
}

restore();
form.addEventListener("input", changed);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => window.setTimeout(changed));
more.addEventListener("click", () => void load(next));
follow({
  read: async () => {
    const { revision } = await get<PoleList>("/api/v1/poles?limit=1");
    await load(null);
    return revision;
  },
  incident: again,
});
