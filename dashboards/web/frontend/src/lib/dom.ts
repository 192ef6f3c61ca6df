// Small helpers to build elements. Text always goes in as text, never as markup.

type Child = Node | string | null;
type Properties = Record<string, string | boolean | number | null>;

/** An element with attributes; `true` sets an empty attribute, `false` and null leave it out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K, properties: Properties = {}, ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === false || value === null) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** The element that the template promises under this id; a missing one is a mistake of ours. */
export function need<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element as T;
}

/** Set the text only when it differs, so that nothing is announced or laid out twice. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Draw a place anew and leave the keyboard's focus where it was, by `data-key` and class. */
export function keepingFocus(place: HTMLElement, draw: () => void): void {
  const active = document.activeElement;
  const key = active?.closest<HTMLElement>("[data-key]")?.dataset["key"];
  const focused = active !== null && active.classList.length > 0 && place.contains(active);
  draw();
  if (!focused) return;
  const within = key === undefined ? "" : `[data-key="${CSS.escape(key)}"] `;
  place.querySelector<HTMLElement>(`${within}.${[...active.classList].join(".")}`)?.focus();
}

const SVG = "http://www.w3.org/2000/svg";

/** A small drawing from the template's sheet. */
export function icon(id: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#${id}`);
  svg.append(use);
  return svg;
}

/** A lamp state's sign, the same shape as on the map; the template holds the drawings. */
export function glyph(state: string): SVGSVGElement {
  const svg = icon(`glyph-${state}`);
  svg.setAttribute("class", `glyph glyph-${state}`);
  return svg;
}

export function setGlyph(svg: SVGSVGElement, state: string): void {
  svg.setAttribute("class", `glyph glyph-${state}`);
  svg.firstElementChild?.setAttribute("href", `#glyph-${state}`);
}
