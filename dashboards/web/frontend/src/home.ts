// The first page: the commune at night, and beside it the list, the incidents and the money.
import "./base";
import { Filter } from "./home/filter";
import { Incidents } from "./home/incidents";
import { Legend } from "./home/legend";
import { PoleList } from "./home/list";
import { PoleCard } from "./home/card";
import { showHeadline, showSummary } from "./home/summary";
import { get } from "./lib/api";
import { need } from "./lib/dom";
import { follow } from "./lib/live";
import { Poles } from "./lib/poles";
import { onThemeChange } from "./lib/theme";
import type { Incident, LampState, List, PoleList as PoleListing, PoleSummary, Summary } from "./lib/types";
import { CommuneMap } from "./map/view";

// A hub may serve many communes; this page shows one of them.
const commune = need("main").querySelector<HTMLElement>("[data-commune]")?.dataset["commune"] ?? "";
const poles = new Poles();
const filter = new Filter();
const map = new CommuneMap(need("map"), poles, pick);
const card = new PoleCard(() => {
  const code = picked;
  pick(null);
  if (code !== null) list.focus(code);
});
const list = new PoleList(need("poles"), need("shown-count"), poles, filter, pick);
const legend = new Legend(need("legend"), filter);
const incidents = new Incidents((incident) => {
  // A node's incident names no pole: show one that hangs on it.
  const concerned = poles.all().find((pole) => concerns(incident, pole));
  if (concerned) pick(concerned);
});
const drawnStates = new Map<string, LampState>();
let picked: string | null = null;
/** Whether the stream's summary is that of the commune on this page. */
let streamed = false;
const SUMMARY_PAUSE_MS = 20_000;

function pick(pole: PoleSummary | null): void {
  picked = pole?.code ?? null;
  if (pole) {
    card.show(pole);
    map.reveal(pole, need("card"));
  } else {
    card.hide();
  }
  map.lamps.select(picked);
  list.select(picked);
}

poles.onChange((changed) => {
  const flash: string[] = [];
  const known = drawnStates.size;
  for (const code of changed) {
    const state = poles.get(code)?.state;
    const before = drawnStates.get(code);
    if (state === undefined || state === before) continue;
    if (before !== undefined) flash.push(code);
    drawnStates.set(code, state);
  }
  const counts = poles.counts();
  list.update(changed);
  legend.update(counts);
  showHeadline(counts);
  card.update(changed, (code) => poles.get(code));
  if (drawnStates.size > known) map.lamps.layOut();
  map.lamps.refresh(flash);
});

filter.onChange(() => {
  list.applyFilter();
  map.lamps.filter(filter.shows);
});
need<HTMLInputElement>("search").addEventListener("input", (event) => {
  filter.search((event.target as HTMLInputElement).value);
});
onThemeChange(() => map.lamps.refresh());

function concerns(incident: Incident, { code, node, feeder }: PoleSummary): boolean {
  if (incident.originator_type === "feeder") return incident.feeder === feeder && incident.commune === commune;
  return incident.pole === code || (incident.originator_type === "node" && incident.originator === node);
}

function concernsUs(incident: Incident): boolean {
  if (incident.commune !== "") return incident.commune === commune;
  return incident.originator_type === "hub" || poles.all().some((pole) => concerns(incident, pole));
}

function readSummary(): Promise<Summary> {
  return get<Summary>(`/api/v1/summary?${new URLSearchParams({ commune })}`);
}

/** The stream tells the sums of the reader's first commune; another's are read anew, now and then. */
let summaryDue: number | undefined;
function summaryAgain(): void {
  if (streamed) return;
  summaryDue ??= window.setTimeout(() => {
    summaryDue = undefined;
    void readSummary().then(showSummary, () => undefined); // the stream's own state tells when the server is away
  }, SUMMARY_PAUSE_MS);
}

async function read(): Promise<number> {
  const [all, open, summary] = await Promise.all([
    get<PoleListing>(`/api/v1/poles?commune=${encodeURIComponent(commune)}`),
    get<List<Incident>>("/api/v1/incidents?status=open&limit=1000"),
    readSummary(),
  ]);
  const first = poles.all().length === 0;
  poles.reset(all.items);
  incidents.reset(open.items.filter(concernsUs));
  showSummary(summary);
  if (first) map.fit(all.items);
  return all.revision;
}

// The canvas writes names with the page's own font, which may arrive after the first drawing.
void document.fonts.ready.then(() => map.lamps.refresh());
follow({
  read,
  pole: (pole) => {
    if (pole.commune !== commune) return;
    poles.update(pole);
    summaryAgain();
  },
  incident: (incident) => concernsUs(incident) && incidents.update(incident),
  summary: (summary) => {
    streamed = summary.commune.code === commune;
    if (streamed) showSummary(summary);
  },
});
