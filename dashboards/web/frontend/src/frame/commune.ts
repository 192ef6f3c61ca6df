// The commune a person has chosen stands in the address and goes along with every link, so that what is on the
// screen can be sent to somebody as it is.
import { t } from "../lib/i18n";

/** Filters that name something of one commune: they mean nothing in the next. */
const OF_ONE_COMMUNE = ["commune", "of", "group", "feeder", "pole"];

export function chosenCommune(): string | null {
  return new URLSearchParams(location.search).get("commune");
}

/** A path of this host, with the commune that was chosen. */
export function withCommune(path: string): string {
  const chosen = chosenCommune();
  const address = new URL(path, location.href);
  if (chosen && !address.searchParams.has("commune")) address.searchParams.set("commune", chosen);
  return address.pathname + address.search + address.hash;
}

export function wireCommune(): void {
  const form = document.getElementById("switcher");
  if (form instanceof HTMLFormElement) {
    const select = form.querySelector("select")!;
    select.title = t("nav.commune");
    select.addEventListener("change", () => location.assign(switched(select.value, form.dataset["all"] ?? "")));
    // Back from the next page, the field shows what this page shows.
    window.addEventListener("pageshow", () => form.reset());
  }
  for (const event of ["click", "auxclick"] as const) document.addEventListener(event, carry, { capture: true });
}

function switched(commune: string, all: string): string {
  const address = new URL(commune === "" ? all : location.pathname, location.href);
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (!OF_ONE_COMMUNE.includes(name)) address.searchParams.append(name, value);
  }
  if (commune !== "") address.searchParams.set("commune", commune);
  return address.href;
}

function carry({ target }: Event): void {
  const link = target instanceof Element ? target.closest<HTMLAnchorElement>("main a[href^='/']") : null;
  const path = link?.getAttribute("href");
  if (!link || !path || /^\/(api|static|p)\//.test(path)) return;
  link.setAttribute("href", withCommune(path));
}
