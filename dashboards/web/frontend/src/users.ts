// Who may sign in, what they may do and in which communes; for administrators.
import "./base";
import { get, post, put } from "./lib/api";
import { confirmed } from "./lib/confirm";
import { h, need, setText } from "./lib/dom";
import { t } from "./lib/i18n";
import type { List } from "./lib/types";
import { type Access, accessFields } from "./users/access";
import { attempt, filled, said } from "./work/form";

interface User extends Access {
  name: string;
}

const PATH = "/api/v1/users";
const me = need("users-page").dataset["me"];
const names = new Map(
  [...need<HTMLTemplateElement>("access").content.querySelectorAll("input[name=communes]")].map((box) => [
    (box as HTMLInputElement).value, box.nextSibling?.textContent?.trim() ?? "",
  ]),
);

async function read(): Promise<void> {
  const { items } = await get<List<User>>(PATH);
  const list = need("users");
  list.replaceChildren(...items.map((user) => h("li", {}, card(user))));
  list.setAttribute("aria-busy", "false");
}

function card(user: User): HTMLElement {
  const box = h("details", { class: "rule block", "data-name": user.name });
  fill(box, user);
  return box;
}

function fill(box: HTMLElement, user: User): void {
  const own = user.name === me;
  box.replaceChildren(
    h(
      "summary", {},
      h("span", { class: "rule-title" }, user.name, own ? h("small", { class: "quiet" }, ` (${t("users.you")})`) : null),
      h("span", { class: "rule-now quiet" }, where(user)),
      h("span", { class: `sign is-${user.role === "admin" ? "major" : "plain"}` }, t(`role.${user.role}`)),
    ),
    own ? h("p", { class: "rule-form quiet" }, t("users.own")) : h("div", { class: "user-forms" }, accessForm(box, user), passwordForm(user), disableForm(box, user)),
  );
}

function where(user: User): string {
  if (user.communes.length === 0) return t("users.whole");
  return user.communes.map((code) => names.get(code) ?? code).join(", ");
}

function note(): HTMLElement {
  return h("p", { class: "form-note", role: "alert" });
}

function accessForm(box: HTMLElement, user: User): HTMLElement {
  const form = h("form", { class: "rule-form", "data-form": "access" });
  const fields = accessFields(user);
  form.append(fields.element, h("div", { class: "actions" }, h("button", { type: "submit", class: "button primary" }, t("users.save"))), note());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const access = fields.read();
    if (access === null) return;
    void attempt(form, async () => {
      fill(box, await put<User>(`${PATH}/${encodeURIComponent(user.name)}/access`, access));
      said(box.querySelector<HTMLElement>("[data-form=access]")!, t("users.saved"));
    });
  });
  return form;
}

function passwordForm(user: User): HTMLElement {
  const field = h("input", { type: "text", name: "password", minlength: 10, maxlength: 200, autocomplete: "off", required: true });
  const form = h(
    "form", { class: "rule-form", "data-form": "password" },
    h("label", { class: "field" }, t("users.new_password"), field),
    h("div", { class: "actions" }, h("button", { type: "submit", class: "button" }, t("users.give_password"))),
    note(),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(form, async () => {
      await put(`${PATH}/${encodeURIComponent(user.name)}/password`, { password: field.value });
      form.reset();
      said(form, t("users.password_given", { name: user.name }));
    });
  });
  return form;
}

function disableForm(box: HTMLElement, user: User): HTMLElement {
  const form = h("form", { class: "rule-form", "data-form": "disable" }, h("div", { class: "actions" }, h("button", { type: "submit", class: "button" }, t("users.disable"))), note());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void (async () => {
      if (!(await confirmed(t("users.disable.ask", { name: user.name })))) return;
      if (await attempt(form, async () => void (await post(`${PATH}/${encodeURIComponent(user.name)}/disable`)))) box.closest("li")?.remove();
    })();
  });
  return form;
}

function wireNew(form: HTMLFormElement): void {
  const fields = accessFields({ role: "staff", communes: [] });
  form.querySelector(".access")!.replaceWith(fields.element);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const access = fields.read();
    if (access === null) return;
    const { name, password } = filled(form);
    void attempt(form, async () => {
      await post(PATH, { name, password, ...access });
      form.reset();
      fields.reset();
      await read();
      said(form, t("users.added", { name: name ?? "" }));
    });
  });
}

wireNew(need<HTMLFormElement>("new-form"));
read().catch((error: unknown) => {
  if (!(error instanceof Error)) throw error;
  need("users").replaceChildren();
  need("trouble").hidden = false;
  setText(need("trouble"), error.message);
});
