// The menu's groups: on a desk one opens below its name and closes when the person goes elsewhere; in the
// phone's list all stand open. Without this script they open and close by themselves, as `details` do.
const DESK = window.matchMedia("(min-width: 68rem)");

export function wireMenu(): void {
  const groups = [...document.querySelectorAll<HTMLDetailsElement>("#menu details")];
  const close = (except: Element | null = null): void => {
    if (!DESK.matches) return;
    for (const group of groups) if (group !== except) group.open = false;
  };
  const suit = (): void => groups.forEach((group) => (group.open = !DESK.matches));
  DESK.addEventListener("change", suit);
  suit();
  for (const group of groups) {
    group.addEventListener("toggle", () => group.open && close(group));
    group.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget instanceof Node && !group.contains(relatedTarget)) close();
    });
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !DESK.matches || !group.open) return;
      close();
      group.querySelector("summary")?.focus();
    });
  }
  document.addEventListener("click", ({ target }) => {
    if (target instanceof Element) close(target.closest("#menu details"));
  });
}
