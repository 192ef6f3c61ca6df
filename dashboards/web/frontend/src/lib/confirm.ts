// "Are you sure?" before something happens at a pole; Escape and the second button mean no.
import { h } from "./dom";
import { t } from "./i18n";

export function confirmed(question: string, ...more: string[]): Promise<boolean> {
  const yes = h("button", { type: "submit", value: "yes", class: "button primary" }, t("confirm.yes"));
  const no = h("button", { type: "submit", value: "", class: "button" }, t("confirm.no"));
  const dialog = h(
    "dialog", { class: "confirm", "aria-label": question },
    h("p", {}, question), ...more.map((line) => h("p", { class: "confirm-more" }, line)),
    h("form", { method: "dialog", class: "actions" }, yes, no),
  );
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    dialog.showModal();
  });
}
