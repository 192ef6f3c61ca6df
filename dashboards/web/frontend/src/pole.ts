// One pole: live state, the last 24 hours, the override with its receipt, incidents, cameras, money.
import "./base";
import { get } from "./lib/api";
import { need } from "./lib/dom";
import { follow } from "./lib/live";
import { onThemeChange } from "./lib/theme";
import type { Command, Incident, List, PoleDetail, PoleList, PoleSummary, Series } from "./lib/types";
import { PowerChart } from "./pole/chart";
import { wireOverride } from "./pole/override";
import { Receipts } from "./pole/receipts";
import { showCameras, showFunding, showIncidents, showNode, showState } from "./pole/state";

const code = need("pole").dataset["code"] ?? "";
const path = `/api/v1/poles/${encodeURIComponent(code)}`;
const chart = new PowerChart(need("chart"));
const receipts = new Receipts();
const incidents = new Map<number, Incident>();
let node: string | null = null;

function takeNews(pole: PoleSummary): void {
  showState(pole);
  showCameras(pole.cameras);
  chart.append(pole);
}

function takeIncident(incident: Incident): void {
  if (incident.closed_at === null) incidents.set(incident.id, incident);
  else incidents.delete(incident.id);
  showIncidents(incidents);
}

async function read(): Promise<number> {
  // The list names the revision it is true for; what is read after it can only be newer.
  const { revision } = await get<PoleList>(`/api/v1/poles?q=${encodeURIComponent(code)}`);
  const [pole, commands, series] = await Promise.all([
    get<PoleDetail>(path),
    get<List<Command>>(`/api/v1/commands?pole=${encodeURIComponent(code)}`),
    get<Series>(`${path}/telemetry?points=600`),
  ]);
  node = pole.node;
  chart.show(series);
  takeNews(pole);
  showNode(pole.node, pole.node_state);
  showFunding(pole.funding);
  incidents.clear();
  for (const incident of pole.incidents) if (incident.closed_at === null) incidents.set(incident.id, incident);
  showIncidents(incidents);
  for (const command of commands.items) receipts.take(command);
  return revision;
}

/** A node's incident concerns each of its poles. */
function concernsUs(incident: Incident): boolean {
  return incident.pole === code || (incident.originator_type === "node" && incident.originator === node);
}

onThemeChange(() => chart.draw());
wireOverride(code, (command) => receipts.take(command));
follow({
  read,
  pole: (pole) => pole.code === code && takeNews(pole),
  incident: (incident) => concernsUs(incident) && takeIncident(incident),
  command: (command) => command.pole === code && receipts.take(command),
});
