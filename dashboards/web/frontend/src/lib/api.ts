// Calls to the HTTP API of this same host.
import { language, t } from "./i18n";
import type { Problem } from "./types";

/** The server said no; the message is for the person at the screen. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
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

async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  return request<T>(path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
  });
}

export async function remove<T = void>(path: string): Promise<T> {
  return request<T>(path, { method: "DELETE" });
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, credentials: "same-origin" });
  } catch {
    throw new ApiError(0, t("error.network"));
  }
  if (!response.ok) throw new ApiError(response.status, await reason(response));
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function reason(response: Response): Promise<string> {
  const kind = response.headers.get("Content-Type") ?? "";
  if (!kind.includes("json")) return t("error.server", { status: response.status });
  const problem = (await response.json()) as Problem;
  const detail = language === "vi" ? (problem.detail_vi ?? problem.detail) : problem.detail;
  return detail ?? problem.title;
}
