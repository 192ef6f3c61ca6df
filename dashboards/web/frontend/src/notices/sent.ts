// Every message with what became of it; one that was just asked for is followed until it has an answer.
import { get, post } from "../lib/api";
import { h, need } from "../lib/dom";
import { moment } from "../lib/format";
import { t } from "../lib/i18n";
import type { List } from "../lib/types";
import { button, row } from "./row";
import type { Notice } from "./types";

const PAGE = 50;
const LOOK_AGAIN_MS = 1_000;
const LOOKS_MOST = 60;

export class SentList {
  private readonly filter = need<HTMLSelectElement>("status-filter");
  private readonly list = need("sent");
  private readonly older = need<HTMLButtonElement>("older");
  private last: number | null = null;

  constructor() {
    this.filter.addEventListener("change", () => void this.read());
    this.older.addEventListener("click", () => void this.readOn());
  }

  async read(): Promise<void> {
    this.show(await this.page(null), false);
  }

  /** Show how a message fares until it is settled. */
  follow(notice: Notice): void {
    this.filter.value = "";
    void this.lookAgain(notice.id, LOOKS_MOST);
  }

  private async lookAgain(id: number, left: number): Promise<void> {
    await this.read();
    const found = this.list.querySelector<HTMLElement>(`[data-notice="${id}"]`);
    const settled = found === null || !["waiting", "sending"].includes(found.dataset["status"] ?? "");
    if (settled || left === 0) return;
    window.setTimeout(() => void this.lookAgain(id, left - 1), LOOK_AGAIN_MS);
  }

  private async readOn(): Promise<void> {
    this.show(await this.page(this.last), true);
  }

  private async page(before: number | null): Promise<Notice[]> {
    const query = new URLSearchParams({ limit: String(PAGE) });
    if (this.filter.value) query.set("status", this.filter.value);
    if (before !== null) query.set("before", String(before));
    return (await get<List<Notice>>(`/api/v1/notices?${query.toString()}`)).items;
  }

  private show(items: Notice[], further: boolean): void {
    const rows = items.map((one) => this.row(one));
    if (further) this.list.append(...rows);
    else this.list.replaceChildren(...(rows.length > 0 ? rows : [row({ title: t("notices.none") })]));
    this.last = items.at(-1)?.id ?? null;
    this.older.hidden = items.length < PAGE;
  }

  private row(notice: Notice): HTMLElement {
    const problem = notice.status === "failed" || notice.status === "waiting" ? notice.last_error : "";
    const made = row({
      title: notice.subject || t(`notices.purpose.${notice.purpose}`),
      state: notice.status,
      notes: [
        [
          t(`notices.status.${notice.status}`),
          notice.target_type === "webhook" ? t("notices.to_webhook", { id: notice.target }) : notice.target,
          moment(notice.finished_at ?? notice.created_at),
          notice.tries > 1 ? t("notices.tries", { count: notice.tries }) : "",
          notice.status === "waiting" ? t("notices.due", { time: moment(notice.due_at) }) : "",
        ].filter((part) => part).join(" · "),
        notice.status === "dropped" ? notice.last_error : null,
        notice.unsure ? t("notices.unsure") : null,
      ],
      problem,
    });
    if (notice.status === "failed") {
      const note = made.querySelector<HTMLElement>(".row-problem") ?? made;
      const again = button(t("notices.retry"), note, async () => {
        this.follow(await post<Notice>(`/api/v1/notices/${notice.id}/retry`));
      });
      made.append(h("div", { class: "row-actions" }, again));
    }
    made.dataset["notice"] = String(notice.id);
    made.dataset["status"] = notice.status;
    return made;
  }
}
