// The node's configuration: what is wished beside what the node runs, its refusals, and the form to change it.
import { ApiError, get, post, put } from "../lib/api";
import { confirmed } from "../lib/confirm";
import { h, need, setText } from "../lib/dom";
import { moment } from "../lib/format";
import { t } from "../lib/i18n";
import type { BulkConfig, ConfigVersion, List, NodeConfig } from "../lib/types";
import { ConfigForm, UnreadableError } from "./config_form";
import { profileRows } from "./config_words";

const WAITING_MS = 3_000;

export interface Whose {
  code: string;
  hamlet: string;
  feeder: string;
  commune: string;
}

export class NodeConfiguration {
  private readonly form = document.getElementById("config-form") === null ? null : new ConfigForm();
  private readonly note = need("config-note");
  private node: string | null = null;
  private shown: NodeConfig | null = null;
  private timer = 0;

  constructor(private readonly whose: Whose) {
    this.form?.element.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.send();
    });
    need<HTMLDetailsElement>("config-history").addEventListener("toggle", () => void this.showHistory());
  }

  async read(node: string | null): Promise<void> {
    this.node = node;
    need("config-body").hidden = node === null;
    if (node === null) {
      setText(need("config-standing"), t("config.no_node"));
      return;
    }
    this.show(await get<NodeConfig>(this.path(node)));
  }

  private path(node: string): string {
    return `/api/v1/nodes/${encodeURIComponent(node)}/config`;
  }

  private show(config: NodeConfig): void {
    const before = this.shown;
    this.shown = config;
    const section = need("config");
    section.dataset["standing"] = config.standing;
    const running = config.in_force ? t("config.running", { version: config.in_force }) : t("config.running_own");
    const places = { desired: config.desired?.version ?? 0, in_force: running };
    setText(need("config-standing"), t(`config.standing.${config.standing}`, places));
    const refusal = need("config-refusal");
    refusal.hidden = config.refusal === null;
    if (config.refusal !== null) {
      setText(refusal, t("config.refusal", { reason: config.refusal.reason, time: moment(config.refusal.at) }));
    }
    setText(need("config-made"), config.desired === null ? "" : made(config.desired));
    need("config-profile").replaceChildren(
      ...(config.desired === null ? [] : profileRows(config.profile, this.whose.code)));
    // What somebody is typing stays, while the version it began with is still the newest.
    if (before?.desired?.version !== config.desired?.version || before === null) {
      this.form?.fill(config.profile, this.whose.code);
      if (need<HTMLDetailsElement>("config-history").open) void this.showHistory();
    }
    this.waitFor(config);
  }

  /** A node may take its time: look again until it has answered. */
  private waitFor(config: NodeConfig): void {
    window.clearTimeout(this.timer);
    if (config.standing !== "pending" && config.standing !== "refused") return;
    this.timer = window.setTimeout(() => {
      if (document.hidden) this.waitFor(config);
      else void this.read(this.node).catch(() => this.waitFor(config));
    }, WAITING_MS);
  }

  private async showHistory(): Promise<void> {
    if (this.node === null || !need<HTMLDetailsElement>("config-history").open) return;
    const { items } = await get<List<ConfigVersion>>(`${this.path(this.node)}/history`);
    need("config-versions").replaceChildren(...items.map((one) =>
      h("li", {}, h("strong", {}, t("config.version", { version: one.version })), " ", h("span", { class: "note" }, made(one)))));
  }

  private async send(): Promise<void> {
    const { form, shown, node } = this;
    if (form === null || shown === null || node === null) return;
    const button = form.element.querySelector<HTMLButtonElement>("button[type=submit]")!;
    this.say("", true);
    button.disabled = true;
    try {
      const profile = form.read(shown.profile, this.whose.code);
      if (form.scope === "pole" || form.scope === "node") {
        const based_on = shown.desired?.version ?? 0;
        const config = await put<NodeConfig>(this.path(node), { profile, why: form.why, based_on });
        this.show(config);
        this.say(t("config.form.saved", { version: config.desired?.version ?? 0 }), false);
      } else if (await confirmed(t("config.form.ask_many", { scope: form.scopeName }))) {
        await this.sendToMany({ profile: { ...profile, agent: null }, why: form.why });
      }
    } catch (error) {
      if (error instanceof UnreadableError) {
        this.say(t("config.form.unread"), true);
        error.field.focus();
      } else if (error instanceof ApiError) this.say(error.message, true);
      else throw error;
    } finally {
      button.disabled = false;
    }
  }

  private async sendToMany(wish: object): Promise<void> {
    const { scope } = this.form!;
    const where = {
      commune: this.whose.commune,
      ...(scope === "hamlet" ? { hamlet: this.whose.hamlet } : {}),
      ...(scope === "feeder" ? { feeder: this.whose.feeder } : {}),
    };
    const done = await post<BulkConfig>("/api/v1/node-configs", { ...where, ...wish });
    await this.read(this.node);
    const counts = { changed: done.changed.length, unchanged: done.unchanged.length, refused: done.refused.length };
    this.say(t("config.form.saved_many", counts), done.refused.length > 0);
  }

  private say(text: string, wrong: boolean): void {
    setText(this.note, text);
    this.note.classList.toggle("is-wrong", wrong);
  }
}

function made({ made_by, made_at, why }: ConfigVersion): string {
  const time = moment(made_at);
  return made_by === "" ? t("config.made_registry", { time }) : t("config.made", { name: made_by, time, why });
}
