// One pole: live state, the last 24 hours, the override with its receipt, incidents, cameras, money.
import "./base";
import { get } from "./lib/api";
import { need } from "./lib/dom";
import { follow } from "./lib/live";
import { onThemeChange } from "./lib/theme";
import type { Command, Incident, List, NodeEvent, PoleDetail, PoleList, PoleSummary, Series } from "./lib/types";
import { Cameras } from "./pole/cameras";
import { PowerChart } from "./pole/chart";
import { NodeConfiguration } from "./pole/config";
import { showEvents } from "./pole/events";
import { showFacts } from "./pole/facts";
import { showMaintenance, wireMaintenance } from "./pole/maintenance";
import { wireOverride } from "./pole/override";
import { Receipts } from "./pole/receipts";
import { showFunding, showIncidents, showNode, showState } from "./pole/state";

const about = need("pole").dataset;
const code = about["code"] ?? "";
const path = `/api/v1/poles/${encodeURIComponent(code)}`;
const chart = new PowerChart(need("chart"));
const receipts = new Receipts();
const incidents = new Map<number, Incident>();
const cameras = new Cameras(code, (command) => receipts.take(command));
const configuration = new NodeConfiguration({
  code, hamlet: about["hamlet"] ?? "", feeder: about["feeder"] ?? "", commune: about["commune"] ?? "",
});
const DETAILS_EVERY_MS = 30_000;
const BATCH_PAUSE_MS = 2_000;
let node: string | null = null;
let maintenanceUntil: string | null = null;
let detailsAt = 0;
let batchTimer = 0;

function takeNews(pole: PoleSummary): void {
  showState(pole);
  cameras.show(pole.cameras);
  showMaintenance(pole.maintenance, maintenanceUntil);
  chart.append(pole);
}

function takeIncident(incident: Incident): void {
  if (incident.closed_at === null) incidents.set(incident.id, incident);
  else incidents.delete(incident.id);
  showIncidents(incidents);
}

/** What the stream does not carry: counters, battery, cabinet, what the node told. */
async function readDetails(): Promise<PoleDetail> {
  detailsAt = Date.now();
  const [pole, events] = await Promise.all([
    get<PoleDetail>(path),
    get<List<NodeEvent>>(`/api/v1/node-events?pole=${encodeURIComponent(code)}&limit=20`),
  ]);
  maintenanceUntil = pole.maintenance_until;
  showNode(pole.node, pole.node_state);
  showFacts(pole);
  showEvents(events.items);
  showMaintenance(pole.maintenance, maintenanceUntil);
  return pole;
}

/** After news of the pole: soon, but not at every sample. */
function refresh(): void {
  if (Date.now() - detailsAt < DETAILS_EVERY_MS) return;
  readDetails().catch(() => undefined); // the stream's own state tells when the server is away
}

function takeCommand(command: Command): void {
  receipts.take(command);
  if (!command.action.startsWith("maintenance")) return;
  detailsAt = 0;
  refresh();
}

/** A command for many may have been one for this pole: its own state stands in the list. */
function readCommands(): void {
  if (batchTimer !== 0) return;
  batchTimer = window.setTimeout(() => {
    batchTimer = 0;
    get<List<Command>>(`/api/v1/commands?pole=${encodeURIComponent(code)}&limit=3`)
      .then((found) => found.items.forEach(takeCommand))
      .catch(() => undefined); // the stream's own state tells when the server is away
  }, BATCH_PAUSE_MS);
}

async function read(): Promise<number> {
  // The list names the revision it is true for; what is read after it can only be newer.
  const { revision } = await get<PoleList>(`/api/v1/poles?q=${encodeURIComponent(code)}`);
  const [pole, commands, series] = await Promise.all([
    readDetails(),
    get<List<Command>>(`/api/v1/commands?pole=${encodeURIComponent(code)}`),
    get<Series>(`${path}/telemetry?points=600`),
  ]);
  node = pole.node;
  chart.show(series);
  takeNews(pole);
  await configuration.read(pole.node);
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
wireOverride(code, takeCommand);
wireMaintenance(code, takeCommand);
follow({
  read,
  pole: (pole) => {
    if (pole.code !== code) return;
    takeNews(pole);
    refresh();
  },
  incident: (incident) => concernsUs(incident) && takeIncident(incident),
  batch: readCommands,
  command: (command) => command.pole === code && takeCommand(command),
});
