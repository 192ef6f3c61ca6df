// The form: for whom, what, until when, why; nothing is sent before the person has seen whom it reaches.
import { ApiError, newKey, post } from "../lib/api";
import { confirmed } from "../lib/confirm";
import { need, setText } from "../lib/dom";
import { wireEnds } from "../lib/ends";
import { timeOfField } from "../lib/format";
import { t, word } from "../lib/i18n";
import type { Action, Batch, LeftOut, Preview, Scope, ScopeKind } from "./types";
import { scopeWords, wishWords } from "./words";

const NAMED = 8;
const ENDS: readonly Action[] = ["lamp_override", "maintenance_begin"];

interface Wish {
  action: Action;
  scope: Scope;
  why: string;
  valid_for_s: number;
  level?: number;
  until?: string;
}

export function wireForm(commune: string, onMade: (batch: Batch) => void): void {
  const form = document.getElementById("many-form");
  if (!(form instanceof HTMLFormElement)) return; // a viewer has no form
  const until = need<HTMLInputElement>("many-until");
  const note = need("many-note");
  const values = (): FormData => new FormData(form);
  wireEnds(form, until);

  const fit = (): void => {
    const action = String(values().get("action")) as Action;
    need("many-level").hidden = action !== "lamp_override";
    need("many-end").hidden = !ENDS.includes(action);
    until.required = ENDS.includes(action);
    need("many-cameras").hidden = action !== "camera_cycle";
    need("many-codes").hidden = values().get("where") !== "poles";
  };
  form.addEventListener("change", fit);
  fit();

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wish = wished(values(), commune);
    if (typeof wish === "string") setText(note, wish);
    else void send(wish);
  });

  // The same wish again after an answer that got lost keeps its key, so that it stays one wish.
  let unanswered: { wish: string; key: string } | null = null;
  const keyOf = (wish: Wish): string => {
    const text = JSON.stringify(wish);
    if (unanswered?.wish !== text) unanswered = { wish: text, key: newKey() };
    return unanswered.key;
  };

  const send = async (wish: Wish): Promise<void> => {
    const button = need<HTMLButtonElement>("many-send");
    button.disabled = true;
    setText(note, "");
    try {
      const { action, scope } = wish;
      const preview = await post<Preview>("/api/v1/command-batches/preview", { action, scope });
      if (preview.total === 0) {
        setText(note, [t("many.preview.nobody"), ...leftOutWords(preview.left_out)].join(" "));
        return;
      }
      const words = t("many.preview", { wish: wishWords(wholly(wish)), where: scopeWords(scope) });
      if (!(await confirmed(words, ...previewWords(wish, preview)))) return;
      onMade(await post<Batch>("/api/v1/command-batches", { ...wish, idempotency_key: keyOf(wish) }));
      unanswered = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(note, error.message);
    } finally {
      button.disabled = false;
    }
  };
}

/** What the form says, or what is wrong with it. */
function wished(values: FormData, commune: string): Wish | string {
  const [kind, ...name] = String(values.get("where")).split("|") as [ScopeKind, ...string[]];
  const codes = String(values.get("codes") ?? "").toUpperCase().split(/[\s,;]+/).filter((code) => code !== "");
  if (kind === "poles" && codes.length === 0) return t("many.codes.none");
  const action = String(values.get("action")) as Action;
  const wish: Wish = {
    action,
    scope: { kind, commune: kind === "poles" ? null : commune, name: name.join("|"), poles: kind === "poles" ? codes : [] },
    why: String(values.get("why")).trim(),
    valid_for_s: 60 * Number(values.get("valid")),
  };
  if (action === "lamp_override") wish.level = Number(values.get("level"));
  if (ENDS.includes(action)) {
    const end = timeOfField(String(values.get("until")));
    if (end === null || end <= new Date()) return t("override.end_past");
    wish.until = end.toISOString();
  }
  return wish;
}

function wholly({ action, level, until }: Wish): { action: Action; level: number | null; until: string | null } {
  return { action, level: level ?? null, until: until ?? null };
}

function previewWords(wish: Wish, { total, online, left_out, offline_poles }: Preview): string[] {
  const lines = [t(wish.action === "camera_cycle" ? "many.preview.cameras" : "many.preview.poles", { total, online })];
  if (online < total) {
    lines.push(t("many.preview.away", {
      count: total - online, minutes: wish.valid_for_s / 60, poles: shortened(offline_poles, total - online),
    }));
  }
  return [...lines, ...leftOutWords(left_out)];
}

function leftOutWords(left: readonly LeftOut[]): string[] {
  if (left.length === 0) return [];
  const names = left.map(({ pole, camera, reason }) => `${camera ?? pole} (${word("command.reason", reason)})`);
  return [t("many.preview.left_out", { count: left.length, list: shortened(names, left.length) })];
}

function shortened(names: readonly string[], count: number): string {
  return names.slice(0, NAMED).join(", ") + (count > NAMED ? " …" : "");
}
