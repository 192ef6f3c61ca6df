// Calls to the HTTP API of this same host.
import { language, t } from "./i18n";
import type { Problem } from "./types";

/** The server said no; the message is for the person at the screen. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** What is wrong with single fields, in the page's language where there are words for it. */
    readonly fields: readonly { loc: string; text: string }[] = [],
  ) {
    super(message);
  }
}

export async function get<T>(path: string): Promise<T> {
  return request<T>(path, { method: "GET" });
}

export async function post<T>(path: string, body?: unknown): Promise<T> {
  return send<T>("POST", path, body);
}

export async function put<T>(path: string, body: unknown): Promise<T> {
  return send<T>("PUT", path, body);
}

/** A key that makes a repeated request one. `crypto.randomUUID` is not there where the page came by plain http. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  return request<T>(path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
  });
}

export async function remove<T = unknown>(path: string): Promise<T> {
  return request<T>(path, { method: "DELETE" });
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, credentials: "same-origin" });
  } catch {
    throw new ApiError(0, t("error.network"));
  }
  if (!response.ok) throw await refusal(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function refusal(response: Response): Promise<ApiError> {
  const kind = response.headers.get("Content-Type") ?? "";
  if (!kind.includes("json")) return new ApiError(response.status, t("error.server", { status: response.status }));
  const problem = (await response.json()) as Problem;
  const detail = language === "vi" ? (problem.detail_vi ?? problem.detail) : problem.detail;
  const fields = (problem.errors ?? []).map(({ loc, msg, msg_vi }) => ({ loc, text: language === "vi" ? (msg_vi ?? msg) : msg }));
  return new ApiError(response.status, detail ?? problem.title, fields);
}
