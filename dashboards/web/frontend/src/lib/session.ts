// Signing in and out, and choosing a password after the first login.
import { ApiError, post, remove } from "./api";
import { setText } from "./dom";
import { t } from "./i18n";

export function wireSession(): void {
  document.getElementById("sign-out")?.addEventListener("click", () => {
    void remove("/api/v1/session").finally(() => window.location.assign("/login"));
  });
  wireForm("login-form", async (form) => {
    await post("/api/v1/session", { name: field(form, "name"), password: field(form, "password") });
    window.location.assign(safeTarget(form.dataset["next"]));
  });
  wireForm("password-form", async (form, note) => {
    const password = field(form, "password");
    if (password !== field(form, "again")) throw new ApiError(0, t("password.differ"));
    await post("/api/v1/session/password", { password });
    form.querySelector<HTMLElement>("fieldset")?.setAttribute("hidden", "");
    say(note, t("password.saved", { name: field(form, "name") }), false);
  });
}

type Submit = (form: HTMLFormElement, note: HTMLElement) => Promise<void>;

function wireForm(id: string, submit: Submit): void {
  const form = document.getElementById(id);
  if (!(form instanceof HTMLFormElement)) return;
  const note = form.querySelector<HTMLElement>("[role=status]")!;
  const button = form.querySelector<HTMLButtonElement>("button[type=submit]")!;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    button.disabled = true;
    say(note, "", false);
    submit(form, note)
      .catch((error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        say(note, error.message, true);
      })
      .finally(() => (button.disabled = false));
  });
}

function field(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === "string" ? value : "";
}

function say(note: HTMLElement, text: string, wrong: boolean): void {
  setText(note, text);
  note.classList.toggle("is-wrong", wrong);
}

/** Only a path of this same host is a place to go on to. */
function safeTarget(next: string | undefined): string {
  return next !== undefined && /^\/(?![/\\])/.test(next) ? next : "/";
}
