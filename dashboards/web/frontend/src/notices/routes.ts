// Who is told of what: the list of routes and the form to make and change them.
import { get, post, put, remove } from "../lib/api";
import { confirmed } from "../lib/confirm";
import { need, setText } from "../lib/dom";
import { t } from "../lib/i18n";
import type { List } from "../lib/types";
import { RouteForm } from "./route_form";
import { button, complain, row, say } from "./row";
import type { Channel, Route } from "./types";

const ADDRESS = "/api/v1/notices/routes";

export class RouteList {
  private readonly form = new RouteForm();
  private readonly fold = need<HTMLDetailsElement>("route-fold");
  private readonly note = need("route-note");
  private routes: Route[] = [];
  private channels: string[] = [];
  private edited: Route | null = null;

  constructor() {
    this.form.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save().catch((error: unknown) => complain(this.note, error));
    });
    this.form.element.addEventListener("reset", () => {
      this.edited = null;
      this.fold.open = false;
      this.title();
    });
    this.fold.addEventListener("toggle", () => {
      if (this.fold.open && this.edited === null) this.form.fill(null, this.routes, this.channels);
    });
  }

  /** The channels that a route may use are known. */
  offer(channels: Channel[]): void {
    this.channels = channels.map((one) => one.name);
    void this.read();
  }

  private async read(): Promise<void> {
    this.routes = (await get<List<Route>>(ADDRESS)).items;
    need("routes").replaceChildren(...this.routes.map((one) => this.row(one)));
  }

  private async save(): Promise<void> {
    const wish = this.form.read();
    const saved = this.edited === null ? await post<Route>(ADDRESS, wish) : await put<Route>(`${ADDRESS}/${this.edited.id}`, wish);
    this.form.element.reset();
    say(this.note, t("notices.route.saved", { name: saved.name }));
    await this.read();
  }

  private row(route: Route): HTMLElement {
    const next = this.routes.find((one) => one.id === route.escalate_to);
    return row({
      title: route.name,
      state: route.enabled ? "" : "off",
      notes: [
        `${t("notices.route.to", { channels: route.channels.join(", ") })} · ${what(route)}`,
        when(route),
        next === undefined ? null : t("notices.route.then", { minutes: route.escalate_after_min ?? 0, name: next.name }),
        route.enabled ? null : t("notices.route.off"),
      ],
      buttons: [
        button(t("notices.edit"), this.note, async () => this.edit(route)),
        button(t("notices.remove"), this.note, async () => this.remove(route)),
      ],
    });
  }

  private edit(route: Route): void {
    this.edited = route;
    this.form.fill(route, this.routes, this.channels);
    this.fold.open = true;
    this.title();
    this.fold.scrollIntoView({ block: "start" });
  }

  private async remove(route: Route): Promise<void> {
    if (!(await confirmed(t("notices.route.remove_sure", { name: route.name })))) return;
    await remove(`${ADDRESS}/${route.id}`);
    await this.read();
  }

  private title(): void {
    const text = this.edited === null ? t("notices.route.new") : t("notices.route.change", { name: this.edited.name });
    setText(need("route-fold-title"), text);
  }
}

function what(route: Route): string {
  const places = [route.hamlet, route.group, route.hamlet || route.group ? "" : route.commune].filter((part) => part);
  const kinds = route.kinds.length === 0 ? "" : t("notices.route.kind_count", { count: route.kinds.length });
  const severity = route.least_severity === "minor" ? "" : t("notices.route.from", { severity: t(`severity.${route.least_severity}`) });
  return [places.join(", ") || t("notices.route.everywhere"), kinds, severity].filter((part) => part).join(" · ");
}

function when(route: Route): string {
  return [
    route.for_escalation ? t("notices.route.for_escalation") : route.at_once ? t("notices.route.at_once") : "",
    route.digest_at === null ? "" : t("notices.route.digest_at", { time: route.digest_at }),
    route.quiet_from === null ? "" : t("notices.route.quiet", { from: route.quiet_from, until: route.quiet_until ?? "" }),
  ].filter((part) => part).join(" · ");
}
