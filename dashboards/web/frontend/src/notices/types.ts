// What the API says about notices; a test holds these against its models.
export type Severity = "critical" | "major" | "minor";
export type NoticeStatus = "waiting" | "sending" | "sent" | "failed" | "dropped" | "merged";

export interface Channel {
  name: string;
  service: string;
  address: string;
  problem: string;
}

export interface Notifier {
  seen_at: string | null;
  up: boolean;
  channels: Channel[];
}

export interface RouteWish {
  name: string;
  enabled: boolean;
  commune: string;
  hamlet: string;
  group: string;
  kinds: string[];
  least_severity: Severity;
  channels: string[];
  language: "vi" | "en";
  at_once: boolean;
  digest_at: string | null;
  quiet_from: string | null;
  quiet_until: string | null;
  quiet_passes: Severity;
  escalate_after_min: number | null;
  escalate_to: number | null;
  for_escalation: boolean;
}

export interface Route extends RouteWish {
  id: number;
}

export interface Notice {
  id: number;
  purpose: "opened" | "escalated" | "closed" | "summary" | "digest" | "test" | "event";
  target_type: "channel" | "webhook";
  target: string;
  incident_id: number | null;
  subject: string;
  status: NoticeStatus;
  tries: number;
  created_at: string;
  due_at: string;
  finished_at: string | null;
  unsure: boolean;
  last_error: string;
}

export interface Webhook {
  id: number;
  url: string;
  note: string;
  least_severity: Severity;
  enabled: boolean;
  old_until: string | null;
  failing_since: string | null;
  disabled_why: string;
}

export interface NewSecret {
  webhook: Webhook;
  secret: string;
}
