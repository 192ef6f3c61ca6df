// One wish for many: a bar that fills, counts, and those not done, each with its reason.
import { ApiError, get, newKey, post, remove } from "../lib/api";
import { confirmed } from "../lib/confirm";
import { h, setText } from "../lib/dom";
import { moment } from "../lib/format";
import { t, word } from "../lib/i18n";
import type { CommandStatus } from "../lib/types";
import type { Batch, BatchDetail, BatchResult, Cancelled } from "./types";
import { scopeWords, wishWords } from "./words";

const ORDER: readonly CommandStatus[] = [
  "applied", "accepted", "sent", "requested", "rejected", "expired", "superseded", "cancelled",
];
const NOT_DONE = ORDER.filter((status) => status !== "applied").map((status) => `status=${status}`).join("&");
const PAGE = 50;
const READ_EVERY_MS = 1_500;

interface Doing {
  mayCommand: boolean;
  onNew: (batch: Batch) => void;
}

export class BatchCard {
  readonly element: HTMLElement;
  readonly issuedAt: string;
  private readonly bar = h("div", { class: "bar", "aria-hidden": "true" });
  private readonly done = h("span", { class: "batch-done" });
  private readonly counts = h("p", { class: "batch-counts" });
  private readonly ended = h("p", { class: "batch-ended", hidden: true });
  private readonly list = h("ul", { class: "batch-list" });
  private readonly more = h("button", { type: "button", class: "text-button", hidden: true }, t("many.more"));
  private readonly note = h("p", { class: "form-note is-wrong", role: "alert" });
  private readonly cancel = h("button", { type: "button", class: "button" }, t("many.cancel"));
  private readonly retry = h("button", { type: "button", class: "button" }, t("many.retry"));
  private readonly body: HTMLDetailsElement;
  private shown = PAGE;
  private timer = 0;

  constructor(private batch: Batch, private readonly doing: Doing) {
    this.issuedAt = batch.issued_at;
    const { requested_by: who, issued_at, why } = batch;
    this.body = h(
      "details", { class: "fold" }, h("summary", {}, t("many.not_done")), this.list, this.more,
    );
    this.element = h(
      "article", { class: "block batch", "data-id": batch.id },
      h("h3", {}, wishWords(batch)),
      h("p", { class: "batch-where" }, scopeWords(batch.scope)),
      h("p", { class: "quiet" }, t("many.by", { who, at: moment(issued_at), why: origin(batch) ?? why })),
      this.bar, h("p", { class: "batch-line", role: "status" }, this.done), this.counts, this.ended, this.body,
      h("div", { class: "actions" }, this.cancel, this.retry), this.note,
    );
    this.body.addEventListener("toggle", () => this.later(0));
    this.more.addEventListener("click", () => {
      this.shown += PAGE;
      this.later(0);
    });
    this.cancel.addEventListener("click", () => void this.takeBack());
    this.retry.addEventListener("click", () => void this.onceMore());
    this.draw();
  }

  open(): void {
    this.body.open = true;
  }

  /** Somebody has just asked for it: on a phone the form stands above it. */
  show(): void {
    this.open();
    this.element.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  /** News tell the counts; who was left out stands in what was read first. */
  update(batch: Batch): void {
    this.batch = { ...batch, left_out: this.batch.left_out, scope: this.batch.scope };
    this.draw();
    this.later(READ_EVERY_MS);
  }

  private draw(): void {
    const { counts, total, finished, cancelled_at, cancelled_by } = this.batch;
    const of = (status: CommandStatus): number => counts[status] ?? 0;
    const stage = finished ? t("many.over") : t("many.running");
    drawBar(this.bar, counts, total);
    this.element.dataset["finished"] = String(finished);
    setText(this.done, `${t("many.done", { done: of("applied"), total })} · ${stage}`);
    this.counts.replaceChildren(...ORDER.filter((status) => of(status) > 0).map((status) =>
      h("span", { class: `batch-count is-${status}` }, t(`many.count.${status}`, { count: of(status) }))));
    this.ended.hidden = cancelled_at === null;
    if (cancelled_at !== null) setText(this.ended, t("many.taken_back", { who: cancelled_by ?? "", at: moment(cancelled_at) }));
    const { mayCommand } = this.doing;
    const stands = this.batch.until !== null && new Date(this.batch.until) > new Date();
    this.cancel.hidden = !mayCommand || cancelled_at !== null || (finished && !(stands && of("applied") > 0));
    const over = this.batch.until !== null && !stands;
    this.retry.hidden = !mayCommand || over || cancelled_at !== null || of("rejected") + of("expired") === 0;
  }

  private later(pause: number): void {
    if (!this.body.open || this.timer !== 0) return;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      this.readResults().catch(() => undefined); // the stream's own state tells when the server is away
    }, pause);
  }

  private async readResults(): Promise<void> {
    const path = `/api/v1/command-batches/${this.batch.id}?${NOT_DONE}&limit=${this.shown}`;
    const found = await get<BatchDetail>(path);
    this.more.hidden = found.next_offset === null;
    const left = found.left_out.map(({ pole, camera, reason }) => this.line(pole, camera, "rejected", t("many.left_out"), reason));
    const items = [...found.results.map((one) => this.result(one)), ...left];
    this.list.replaceChildren(...(items.length > 0 ? items : [h("li", { class: "quiet" }, t("many.all_done"))]));
  }

  private result({ pole, camera, status, reason }: BatchResult): HTMLElement {
    const waiting = status === "requested" ? t("command.waiting") : null;
    return this.line(pole, camera, status, waiting ?? t(`command.${status}`), status === "superseded" ? "" : reason);
  }

  private line(pole: string, camera: string | null, status: CommandStatus, words: string, reason: string): HTMLElement {
    const why = reason ? word("command.reason", reason.split(":", 1)[0] ?? "") : "";
    return h(
      "li", { class: `batch-pole is-${status}` },
      h("a", { href: `/poles/${encodeURIComponent(pole)}` }, pole), camera === null ? null : h("span", {}, camera),
      h("span", { class: "batch-word" }, why ? `${words}: ${why}` : words),
    );
  }

  private async takeBack(): Promise<void> {
    if (!(await confirmed(t("many.cancel.ask", { wish: wishWords(this.batch) })))) return;
    await this.act(this.cancel, async () => {
      const { cancelled, reverting } = await remove<Cancelled>(`/api/v1/command-batches/${this.batch.id}`);
      this.update(cancelled);
      if (reverting) this.doing.onNew(reverting);
    });
  }

  private async onceMore(): Promise<void> {
    const count = (this.batch.counts.rejected ?? 0) + (this.batch.counts.expired ?? 0);
    if (!(await confirmed(t("many.retry.ask", { count })))) return;
    await this.act(this.retry, async () => {
      const key = { idempotency_key: newKey() };
      this.doing.onNew(await post<Batch>(`/api/v1/command-batches/${this.batch.id}/retry`, key));
    });
  }

  private async act(button: HTMLButtonElement, work: () => Promise<void>): Promise<void> {
    button.disabled = true;
    setText(this.note, "");
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(this.note, error.message);
    } finally {
      button.disabled = false;
    }
  }
}

/** Where a wish came from that nobody typed a reason for. */
function origin({ reverts, retry_of }: Batch): string | null {
  if (reverts !== null) return t("many.reverts");
  return retry_of === null ? null : t("many.retry_of");
}

const SVG = "http://www.w3.org/2000/svg";

/** One stripe per status that somebody has, in an SVG: styles in attributes are not allowed here. */
function drawBar(place: HTMLElement, counts: Batch["counts"], total: number): void {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 100 10");
  svg.setAttribute("preserveAspectRatio", "none");
  let from = 0;
  for (const status of ORDER) {
    const width = (100 * (counts[status] ?? 0)) / Math.max(total, 1);
    if (width === 0) continue;
    const stripe = document.createElementNS(SVG, "rect");
    for (const [name, value] of Object.entries({ x: from, width, height: 10, class: `stripe is-${status}` })) {
      stripe.setAttribute(name, String(value));
    }
    svg.append(stripe);
    from += width;
  }
  place.replaceChildren(svg);
}
