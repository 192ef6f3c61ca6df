// The notifier's channels, each with a button to try it.
import { get, post } from "../lib/api";
import { h, need, setText } from "../lib/dom";
import { moment } from "../lib/format";
import { t } from "../lib/i18n";
import { button, row } from "./row";
import type { Channel, Notice, Notifier } from "./types";

export class ChannelList {
  constructor(
    private readonly tried: (notice: Notice) => void,
    private readonly offer: (channels: Channel[]) => void,
  ) {}

  async read(): Promise<void> {
    const notifier = await get<Notifier>("/api/v1/notices/notifier");
    setText(need("notifier"), standing(notifier));
    need("channels").replaceChildren(...notifier.channels.map((one) => this.row(one)));
    this.offer(notifier.channels);
  }

  private row(channel: Channel): HTMLElement {
    const note = h("p", { class: "row-note", role: "status" });
    const test = button(t("notices.test"), note, async () => {
      const notice = await post<Notice>(`/api/v1/notices/channels/${encodeURIComponent(channel.name)}/test`);
      note.textContent = t("notices.test.on_its_way");
      this.tried(notice);
    });
    const made = row({
      title: channel.name,
      notes: [[channel.service, channel.address].filter((part) => part).join(" · ")],
      problem: channel.problem,
      buttons: [test],
    });
    made.append(note);
    return made;
  }
}

function standing(notifier: Notifier): string {
  if (notifier.seen_at === null) return t("notices.notifier.never");
  if (!notifier.up) return t("notices.notifier.down", { time: moment(notifier.seen_at) });
  return notifier.channels.length === 0 ? t("notices.notifier.no_channels") : t("notices.notifier.up");
}
