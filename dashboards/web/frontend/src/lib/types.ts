// The shapes of the HTTP API (see /api/v1/openapi.json). Times are RFC 3339 strings, money whole đồng.

export const STATES = ["lit", "dark", "off", "on_by_day", "unknown"] as const;
export type LampState = (typeof STATES)[number];

export interface Camera {
  code: string;
  reachable: boolean | null;
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
}

export interface Incident {
  id: number;
  kind: string;
  title_vi: string;
  title_en: string;
  originator_type: "node" | "pole" | "camera";
  originator: string;
  pole: string | null;
  opened_at: string;
  closed_at: string | null;
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
  | "superseded";

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
  action: "lamp_override" | "lamp_auto";
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
  receipts: CommandReceipt[];
}

export interface NodeState {
  status: "online" | "silent" | "lost" | "stopped";
  last_seen_at: string;
  clock: string;
  queued: number;
  agent_version: string;
}

export interface PoleDetail extends PoleSummary {
  programme: string;
  group: string;
  commune_name: string;
  node_state: NodeState | null;
  incidents: Incident[];
  funding: PoleFunding;
  last_command: Command | null;
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
}
