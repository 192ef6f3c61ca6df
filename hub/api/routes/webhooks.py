"""Webhooks for other programs: made, tried, their secrets replaced. For administrators."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import uuid4

from fastapi import APIRouter, Request

from hub.api.deps import Admin, Hub, HubDep, acting
from hub.api.problems import FieldError, Problem
from hub.api.schemas.notices import (
    NewSecretOut,
    NoticeOut,
    WebhookIn,
    WebhookList,
    WebhookOut,
    WebhookSwitch,
)
from hub.notify import reads, store, webhooks
from hub.notify.signing import WebhookKeyError, load_key, secret
from hub.notify.transports.guard import UnsafeAddressError, parse

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])


@router.get("")
def list_webhooks(hub: HubDep, _: Admin) -> WebhookList:
    """Where other programs are told of incidents, and whether they take it."""
    with hub.reads.connect() as conn:
        found = webhooks.webhooks(conn).values()
    return WebhookList(items=[WebhookOut.model_validate(one) for one in found])


@router.post("", status_code=201)
def create_webhook(body: WebhookIn, request: Request, hub: HubDep, by: Admin) -> NewSecretOut:
    """Make a webhook; its secret is shown in this answer and never again."""
    key = _key(hub)
    # Some receivers put a token into the path or query: the audit trail gets the host alone.
    with acting(hub, request, by, host=_host(body.url)) as conn:
        known = reads.notifier(conn)
        try:
            parse(body.url, allow_private=known is not None and known.allow_private)
        except UnsafeAddressError as error:
            raise Problem(
                422,
                "unsafe-address",
                str(error),
                error.detail_vi,
                errors=[FieldError(loc="body.url", msg=str(error))],
            ) from None
        made = webhooks.add(
            conn,
            url=body.url,
            note=body.note,
            commune=body.commune,
            least_severity=body.least_severity,
            by=by.name,
            now=hub.clock(),
        )
    return _with_secret(made, key)


@router.post("/{webhook_id}/secret")
def replace_secret(webhook_id: int, request: Request, hub: HubDep, by: Admin) -> NewSecretOut:
    """Give a webhook a new secret, shown once; for 24 hours the former one signs beside it."""
    key = _key(hub)
    with acting(hub, request, by) as conn:
        changed = webhooks.rotate(conn, webhook_id, by=by.name, now=hub.clock())
        if changed is None:
            raise _unknown(webhook_id)
    return _with_secret(changed, key)


@router.put("/{webhook_id}/enabled")
def switch_webhook(
    webhook_id: int, body: WebhookSwitch, request: Request, hub: HubDep, by: Admin
) -> WebhookOut:
    """Switch a webhook off, or on again; what happened meanwhile is not sent later."""
    with acting(hub, request, by, enabled=body.enabled) as conn:
        changed = webhooks.enable(conn, webhook_id, enabled=body.enabled, by=by.name, now=hub.clock())
        if changed is None:
            raise _unknown(webhook_id)
    return WebhookOut.model_validate(changed)


@router.delete("/{webhook_id}", status_code=204)
def remove_webhook(webhook_id: int, request: Request, hub: HubDep, by: Admin) -> None:
    """Forget a webhook with its secret."""
    with acting(hub, request, by) as conn:
        if not webhooks.remove(conn, webhook_id):
            raise _unknown(webhook_id)


@router.post("/{webhook_id}/test", status_code=202)
def test_webhook(webhook_id: int, request: Request, hub: HubDep, by: Admin) -> NoticeOut:
    """Have the notifier post a `webhook.test` message; how it went is found under its id."""
    with acting(hub, request, by) as conn:
        hook = webhooks.webhooks(conn).get(webhook_id)
        if hook is None:
            raise _unknown(webhook_id)
        planned = webhooks.test_event(hook, key=f"test:{uuid4()}", by=by.name, now=hub.clock())
        made = store.note(conn, planned, now=hub.clock())
        assert made is not None
        noted = reads.delivery(conn, made)
    return NoticeOut.model_validate(noted)


def _with_secret(hook: webhooks.Webhook, key: bytes) -> NewSecretOut:
    return NewSecretOut(webhook=WebhookOut.model_validate(hook), secret=secret(key, hook.id, hook.nonce))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _key(hub: Hub) -> bytes:
    try:
        return load_key(hub.settings.webhook_key_file)
    except WebhookKeyError as error:
        raise Problem(
            409,
            "webhooks-not-set-up",
            f"the web server has no webhook key: {error}",
            "Máy chủ web chưa có khóa webhook; hãy đặt webhook_key_file trong tệp cài đặt.",
        ) from None


def _unknown(webhook_id: int) -> Problem:
    return Problem(404, "unknown-webhook", f"no webhook {webhook_id}", f"Không có webhook số {webhook_id}.")
