// The shapes of the HTTP API (see /api/v1/openapi.json). Times are RFC 3339 strings, money whole đồng.

export const STATES = ["lit", "dark", "off", "on_by_day", "unknown"] as const;
export type LampState = (typeof STATES)[number];

export interface Camera {
  code: string;
  reachable: boolean | null;
  stream: string | null;
  picture: string | null;
  clock_offset_s: number | null;
  recording_age_s: number | null;
  powered: boolean | null;
}

export interface Fault {
  kind: string;
  title_vi: string;
  title_en: string;
}

export interface PoleSummary {
  code: string;
  place: string;
  commune: string;
  hamlet: string;
  feeder: string;
  node: string | null;
  latitude: number;
  longitude: number;
  lamp_rated_w: number;
  state: LampState;
  /** Whether a meter stands behind `state`, or only the node's own word. */
  measured: boolean;
  level: number | null;
  reason: string | null;
  power_w: number | null;
  voltage_v: number | null;
  sample_at: string | null;
  last_seen_at: string | null;
  override_until: string | null;
  open_incidents: number;
  cameras: Camera[];
  faults: Fault[];
  maintenance: boolean;
}

export type Severity = "critical" | "major" | "minor";

export interface Incident {
  id: number;
  kind: string;
  title_vi: string;
  title_en: string;
  originator_type: "node" | "pole" | "camera" | "feeder" | "hub";
  originator: string;
  pole: string | null;
  /** Empty where none is known. */
  commune: string;
  feeder: string | null;
  severity: Severity;
  opened_at: string;
  since_at: string | null;
  closed_at: string | null;
  closed_how: "measured" | "by_hand" | "corrected" | null;
  closed_by: string | null;
  evidence: Evidence;
  closed_evidence: Evidence | null;
  /** The incident that explains this one. */
  parent_id: number | null;
  /** Why nobody is notified: `group`, `maintenance`, `flapping`. */
  quiet_reason: string | null;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  assigned_group: string | null;
}

export type Evidence = Record<string, string | number | boolean | null>;

export interface IncidentRow extends Incident {
  parts: number;
  place: string;
}

export interface IncidentPage {
  items: IncidentRow[];
  next_cursor: string | null;
}

export interface IncidentChange {
  id: number;
  at: string;
  change: string;
  /** Empty: the hub itself. */
  by: string;
  note: string;
  detail: Record<string, unknown>;
}

export interface IncidentPlace {
  pole: string | null;
  place: string;
  hamlet: string;
  commune_name: string;
}

export interface IncidentDetail extends Incident {
  place: IncidentPlace;
  default_group: string;
  groups: string[];
  parent: Incident | null;
  parts: Incident[];
  history: IncidentChange[];
  as_of_revision: number;
}

export interface MaintenanceWindow {
  id: number;
  commune: string;
  scope: "commune" | "hamlet" | "feeder" | "group" | "pole" | "node";
  name: string;
  starts_at: string;
  ends_at: string;
  why: string;
  created_by: string;
  cancelled_at: string | null;
  cancelled_by: string | null;
}

export interface Thresholds {
  hold_off_s: number;
  clear_after_s: number;
  params: Record<string, number>;
  severity: Severity;
  enabled: boolean;
}

export interface IncidentRule {
  kind: string;
  title_vi: string;
  title_en: string;
  now: Thresholds;
  source: "default" | "hub" | "commune";
  inherited: Thresholds;
  bounds: Record<string, [number, number]>;
}

export interface Funding {
  need_vnd: number;
  received_vnd: number;
  spent_vnd: number;
  balance_vnd: number;
}

export interface PoleFunding extends Funding {
  received_cash_vnd: number;
  received_in_kind_vnd: number;
}

export type CommandStatus =
  | "requested"
  | "sent"
  | "accepted"
  | "applied"
  | "rejected"
  | "expired"
  | "superseded"
  | "cancelled";

export interface CommandReceipt {
  status: CommandStatus;
  at: string;
  power_w: number | null;
  level: number | null;
  reason: string;
}

export interface Command {
  id: string;
  pole: string;
  action: "lamp_override" | "lamp_auto" | "maintenance_begin" | "maintenance_end" | "camera_cycle";
  level: number | null;
  until: string | null;
  issued_at: string;
  expires_at: string;
  status: CommandStatus;
  status_at: string;
  power_w: number | null;
  receipt_level: number | null;
  reason: string;
  requested_by: string;
  camera: string | null;
  receipts: CommandReceipt[];
}

export interface NodeState {
  status: "online" | "silent" | "lost" | "stopped";
  last_seen_at: string;
  clock: string;
  queued: number;
  agent_version: string;
}

export interface NodeEvent {
  id: number;
  node: string;
  pole: string | null;
  camera: string | null;
  kind: string;
  title_vi: string;
  title_en: string;
  /** True: it began; false: it has ended; null: it happened at that moment. */
  active: boolean | null;
  at: string;
  historical: boolean;
  detail: Record<string, string | number | boolean | null>;
}

export interface Counters {
  burning_s: number;
  switches: number;
  energy_wh: number;
  supply_losses: number;
}

export interface Battery {
  battery_v: number;
  charge_share: number | null;
  panel_w: number | null;
}

export interface Phase {
  power_w: number;
  voltage_v: number | null;
}

export interface Cabinet {
  temperature_c: number | null;
  door_open: boolean | null;
  supply_present: boolean | null;
  phases: Phase[];
  lamps_w: number | null;
  unknown_poles: number;
}

export interface PoleDetail extends PoleSummary {
  programme: string;
  group: string;
  commune_name: string;
  node_state: NodeState | null;
  incidents: Incident[];
  funding: PoleFunding;
  last_command: Command | null;
  maintenance_until: string | null;
  due: boolean | null;
  counters: Counters | null;
  battery: Battery | null;
  cabinet: Cabinet | null;
}

export interface DimmingStep {
  /** HH:MM, Vietnam's time. */
  at: string;
  level: number;
}

export interface LampProfile {
  dusk_offset_min: number;
  dawn_offset_min: number;
  dimming: DimmingStep[];
  motion_level: number | null;
  motion_hold_s: number;
  power_tolerance_share: number;
}

export interface NodeProfile {
  sample_interval_s: number;
  report_interval_s: number | null;
  heartbeat_s: number;
  lamp: LampProfile;
  /** Poles that differ from `lamp`, by code. */
  lamps: Record<string, LampProfile>;
  agent: { version: string; sha256: string } | null;
}

export interface ConfigVersion {
  version: number;
  made_at: string;
  /** Empty where the hub followed a change of the registry. */
  made_by: string;
  why: string;
  profile: NodeProfile;
}

export interface NodeConfig {
  node: string;
  standing: "own" | "pending" | "in_force" | "refused";
  in_force: number | null;
  desired: ConfigVersion | null;
  profile: NodeProfile;
  poles: { pole: string }[];
  refusal: { at: string; reason: string } | null;
}

/** What one profile for many nodes did. */
export interface BulkConfig {
  changed: string[];
  unchanged: string[];
  refused: { node: string; detail: string; detail_vi: string }[];
}

export interface Series {
  pole: string;
  start: string;
  end: string;
  columns: {
    time: number[];
    power_w: (number | null)[];
    voltage_v: (number | null)[];
    level: (number | null)[];
    camera_reachable: (number | null)[];
  };
}

export interface Summary {
  commune: { code: string; name: string; province: string; former_names: string[] };
  poles: number;
  states: Record<LampState, number>;
  open_incidents: number;
  rejects: number;
  nodes: Record<"online" | "silent" | "lost" | "stopped", number>;
  funding: Funding;
}

/** All poles, and the revision of the event stream they are true for. */
export interface PoleList {
  items: PoleSummary[];
  as_of: string;
  revision: number;
}

export interface List<T> {
  items: T[];
}

export interface Problem {
  title: string;
  status: number;
  detail?: string;
  detail_vi?: string;
  errors?: { loc: string; msg: string; msg_vi?: string }[];
}
