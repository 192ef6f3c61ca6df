"""Zalo Notification Service as a plugin of apprise: template messages to one telephone number.

    zns://84912345678/<template id>?tokens=zalo-oa.json&:ma_cot={pole}&:noi={place:.60}

`tokens` is the Official Account's token file (`zns_tokens.py`), beside the file that names the channel. Each
`:name=` is a parameter of the template that Zalo approved, filled from the message's fields; `.60` cuts.
Written from Zalo's description of its HTTP API and tested against answers recorded from it, never against
Zalo itself: that needs a verified Official Account and costs money per message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, ClassVar

import requests
from apprise.plugins.base import NotifyBase

from hub.notify.transports.zns_tokens import TokenError, TokenFile

FIELDS: ContextVar[Mapping[str, str]] = ContextVar("zns_fields")
"""The parts of the message that is being sent: apprise hands a plugin title and body alone."""

_FOLDER: ContextVar[Path] = ContextVar("zns_folder", default=Path())

PASSING_ERRORS = frozenset({-100, -115, -126, -133, -137, -144, -147})
"""Unknown fault, balance or quota used up, no messages at night. Others stay until somebody acts."""

TOKEN_REFUSED = -124

_PHONE = re.compile(r"84\d{8,10}")


@contextmanager
def folder(path: Path) -> Iterator[None]:
    """From where a relative `tokens` is meant while plugins are made."""
    token = _FOLDER.set(path)
    try:
        yield
    finally:
        _FOLDER.reset(token)


def phone_84(text: str) -> str | None:
    """`0912 345 678` or `+84912345678` → `84912345678`; None for what is no Vietnamese number."""
    digits = re.sub(r"[\s.\-+]", "", text)
    if digits.startswith("0"):
        digits = "84" + digits[1:]
    return digits if _PHONE.fullmatch(digits) else None


class ZnsChannel(NotifyBase):  # type: ignore[misc]  # apprise ships no types
    """One telephone number that gets one template."""

    service_name = "Zalo ZNS"
    service_url = "https://zalo.cloud/zns"
    secure_protocol = "zns"
    setup_url = "https://developers.zalo.me/docs/zalo-notification-service"
    title_maxlen = 250
    body_maxlen = 4000
    templates: ClassVar[tuple[str, ...]] = ("{schema}://{phone}/{template}",)
    template_tokens: ClassVar[dict[str, Any]] = {
        **NotifyBase.template_tokens,
        "phone": {"name": "Phone", "type": "string", "private": True, "required": True},
        "template": {"name": "Template", "type": "string", "required": True},
    }
    template_args: ClassVar[dict[str, Any]] = {
        **NotifyBase.template_args,
        "tokens": {"name": "Token file", "type": "string", "required": True},
    }
    template_kwargs: ClassVar[dict[str, Any]] = {"params": {"name": "Parameters", "prefix": ":"}}

    def __init__(
        self, phone: str, template: str, tokens: str, params: Mapping[str, str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        found = phone_84(phone)
        if found is None:
            raise TypeError("the address needs a Vietnamese telephone number, such as 84912345678")
        if not template.isdigit() or not tokens or not params:
            raise TypeError("the address needs a template's number, ?tokens= and at least one :parameter=")
        self.phone, self.template, self.tokens = found, template, tokens
        self.params = dict(params)
        self._file = TokenFile(_FOLDER.get() / tokens)

    def __len__(self) -> int:
        return 1

    def url(self, privacy: bool = False, *args: Any, **kwargs: Any) -> str:  # noqa: ARG002  apprise's own
        """The channel's URL; with `privacy` the number is masked."""
        phone = f"{self.phone[:4]}…{self.phone[-2:]}" if privacy else self.phone
        query = {"tokens": self.tokens, **{f":{name}": value for name, value in self.params.items()}}
        return f"zns://{phone}/{self.template}/?{self.urlencode(query)}"

    def send(self, body: str, title: str = "", **kwargs: Any) -> bool:
        """Send the template; failures are logged in the words that `causes.of_words` reads."""
        if kwargs.get("index"):
            return True  # a long text is split for other channels; the template has said it all
        try:
            data = self._data(body, title)
            token = self._file.access_token(timeout_s=self.socket_read_timeout)
            answer = self._post(token, data)
            if answer.get("error") == TOKEN_REFUSED:
                token = self._file.access_token(timeout_s=self.socket_read_timeout, refused=token)
                answer = self._post(token, data)
        except TokenError as error:
            return self._failed(str(error), permanent=error.permanent)
        except requests.RequestException as error:
            return self._failed(f"Zalo can't be reached: {type(error).__name__}", permanent=False)
        except _HttpError as error:
            return self._failed(
                f"Zalo answers HTTP {error.status}", permanent=error.status < 500 and error.status != 429
            )
        code = answer.get("error")
        if code == 0:
            return True
        said = str(answer.get("message", ""))[:120]
        return self._failed(f"Zalo error {code}: {said}", permanent=code not in PASSING_ERRORS)

    def _data(self, body: str, title: str) -> dict[str, str]:
        fields = {"subject": title, "body": body, **FIELDS.get({})}
        known = _Fields(fields)
        # An approved template takes no empty parameter.
        return {name: value.format_map(known) or "–" for name, value in self.params.items()}

    def _post(self, token: str, data: Mapping[str, str]) -> dict[str, Any]:
        answer = requests.post(
            self._file.message_url,
            headers={"access_token": token},
            json={
                "phone": self.phone,
                "template_id": self.template,
                "template_data": dict(data),
                "tracking_id": "ngonden",
            },
            timeout=(self.socket_connect_timeout, self.socket_read_timeout),
            allow_redirects=False,
        )
        if answer.status_code != 200:
            raise _HttpError(answer.status_code)
        try:
            given = json.loads(answer.content)
        except ValueError:
            raise _HttpError(502) from None
        return given if isinstance(given, dict) else {}

    def _failed(self, why: str, *, permanent: bool) -> bool:
        self.logger.warning("zns: %s: %s", "permanent" if permanent else "passing", why)
        return False

    @staticmethod
    def parse_url(url: str) -> dict[str, Any] | None:
        """apprise's way from a URL to the arguments of the constructor."""
        results: dict[str, Any] | None = NotifyBase.parse_url(url, verify_host=False)
        if not results:
            return None
        path = NotifyBase.split_path(results["fullpath"])
        results["phone"] = NotifyBase.unquote(results["host"] or "")
        results["template"] = path[0] if path else ""
        results["tokens"] = NotifyBase.unquote(results["qsd"].get("tokens", ""))
        results["params"] = {
            NotifyBase.unquote(name): NotifyBase.unquote(value) for name, value in results["qsd:"].items()
        }
        return results


class _Fields(dict[str, str]):
    """A parameter may name a field that this message has not, such as the end of what is not over."""

    def __missing__(self, key: str) -> str:
        return ""


class _HttpError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
