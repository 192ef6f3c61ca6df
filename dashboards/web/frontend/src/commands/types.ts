import type { Command, CommandStatus } from "../lib/types";

export type Action = Command["action"];
export type ScopeKind = "commune" | "hamlet" | "feeder" | "programme" | "group" | "poles";

export interface Scope {
  kind: ScopeKind;
  commune: string | null;
  name: string;
  poles: string[];
}

export interface LeftOut {
  pole: string;
  camera: string | null;
  reason: string;
}

/** Whom a wish for many would reach. */
export interface Preview {
  total: number;
  online: number;
  left_out: LeftOut[];
  offline_poles: string[];
}

/** A wish for many, and how many of its commands stand where. */
export interface Batch {
  id: string;
  action: Action;
  level: number | null;
  until: string | null;
  scope: Scope;
  why: string;
  requested_by: string;
  issued_at: string;
  expires_at: string;
  total: number;
  counts: Partial<Record<CommandStatus, number>>;
  finished: boolean;
  left_out: LeftOut[];
  retry_of: string | null;
  reverts: string | null;
  cancelled_at: string | null;
  cancelled_by: string | null;
}

/** Newest first, and the revision of the event stream they are true for. */
export interface BatchList {
  items: Batch[];
  revision: number;
}

export interface BatchResult {
  id: string;
  pole: string;
  camera: string | null;
  status: CommandStatus;
  status_at: string;
  reason: string;
  power_w: number | null;
  level: number | null;
}

export interface BatchDetail extends Batch {
  results: BatchResult[];
  next_offset: number | null;
}

export interface Cancelled {
  cancelled: Batch;
  reverting: Batch | null;
}
