// Webhooks for other programs; a secret is shown once, in the answer that made it.
import { get, post, put, remove } from "../lib/api";
import { confirmed } from "../lib/confirm";
import { h, need } from "../lib/dom";
import { moment } from "../lib/format";
import { t } from "../lib/i18n";
import type { List } from "../lib/types";
import { button, complain, row, say } from "./row";
import type { NewSecret, Notice, Webhook } from "./types";

const ADDRESS = "/api/v1/webhooks";

export class WebhookList {
  private readonly form = need<HTMLFormElement>("webhook-form");
  private readonly note = need("webhook-note");

  constructor(private readonly tried: (notice: Notice) => void) {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.make().catch((error: unknown) => complain(this.note, error));
    });
  }

  async read(): Promise<void> {
    const { items } = await get<List<Webhook>>(ADDRESS);
    need("webhooks").replaceChildren(...items.map((one) => this.row(one)));
  }

  private async make(): Promise<void> {
    const values = new FormData(this.form);
    const wish = Object.fromEntries(["url", "note", "least_severity"].map((name) => [name, values.get(name)]));
    this.show(await post<NewSecret>(ADDRESS, wish));
    this.form.reset();
    say(this.note, "");
    await this.read();
  }

  private show({ secret }: NewSecret): void {
    const place = need("secret");
    place.replaceChildren(h("p", {}, t("notices.webhook.secret")), h("code", {}, secret));
    place.hidden = false;
  }

  private row(hook: Webhook): HTMLElement {
    const where = `${ADDRESS}/${hook.id}`;
    const act = (label: string, work: () => Promise<void>): HTMLButtonElement => button(label, this.note, work);
    return row({
      title: hook.url,
      state: hook.enabled ? "" : "off",
      notes: [
        [hook.note, t("notices.route.from", { severity: t(`severity.${hook.least_severity}`) })]
          .filter((part) => part).join(" · "),
        hook.old_until === null ? null : t("notices.webhook.overlap", { time: moment(hook.old_until) }),
      ],
      problem: problemOf(hook),
      buttons: [
        act(t("notices.test"), async () => this.tried(await post<Notice>(`${where}/test`))),
        act(t("notices.webhook.rotate"), async () => {
          if (!(await confirmed(t("notices.webhook.rotate_sure")))) return;
          this.show(await post<NewSecret>(`${where}/secret`));
          await this.read();
        }),
        act(hook.enabled ? t("notices.switch_off") : t("notices.switch_on"), async () => {
          await put<Webhook>(`${where}/enabled`, { enabled: !hook.enabled });
          await this.read();
        }),
        act(t("notices.remove"), async () => {
          if (!(await confirmed(t("notices.webhook.remove_sure", { url: hook.url })))) return;
          await remove(where);
          await this.read();
        }),
      ],
    });
  }
}

function problemOf(hook: Webhook): string {
  if (!hook.enabled) return hook.disabled_why ? t("notices.webhook.gave_up", { why: hook.disabled_why }) : t("notices.webhook.off");
  return hook.failing_since === null ? "" : t("notices.webhook.failing", { time: moment(hook.failing_since) });
}
