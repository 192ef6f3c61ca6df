"""Sends one signed message to a webhook: no redirects, only to the address that the guard has seen."""

from __future__ import annotations

from collections.abc import Mapping

import urllib3
from urllib3.exceptions import HTTPError

from hub.notify.model import SENT, Outcome
from hub.notify.transports.guard import Resolve, UnsafeAddressError, parse, pinned

_ANSWER_BYTES = 4096
"""More of an answer is not read: its status is all that counts."""


class WebhookPoster:
    """Posts over HTTP; `allow_private` is for receivers in one's own network and for tests."""

    def __init__(self, *, timeout_s: float, allow_private: bool, resolve: Resolve | None = None) -> None:
        self._timeout = urllib3.Timeout(connect=timeout_s / 2, read=timeout_s / 2)
        self._allow_private = allow_private
        self._resolve = resolve

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Post a body; never raises. Any status of 2xx is a yes, 410 says: never again."""
        try:
            endpoint = parse(url, allow_private=self._allow_private)
            address = pinned(endpoint, allow_private=self._allow_private, resolve=self._resolve)
        except UnsafeAddressError as error:
            return Outcome("permanent", str(error))
        except OSError:
            return Outcome("passing", "the address is not known")
        port = "" if endpoint.port in (80, 443) else f":{endpoint.port}"
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        sent = {
            "host": f"{host}{port}",
            "content-type": "application/json",
            "user-agent": "ngonden-webhook/1",
            **headers,
        }
        try:
            with self._pool(endpoint.scheme, address, endpoint.port, endpoint.host) as pool:
                answer = pool.urlopen(
                    "POST",
                    endpoint.target,
                    body=body,
                    headers=sent,
                    redirect=False,
                    retries=False,
                    timeout=self._timeout,
                    preload_content=False,
                )
                answer.read(_ANSWER_BYTES)
                status, retry_after = answer.status, answer.headers.get("retry-after", "")
                answer.close()
        except (HTTPError, OSError, ValueError) as error:
            words = _words(error)
            return Outcome("passing", words, unsure=words == "timed out")
        if 200 <= status < 300:
            return SENT
        if status == 410:
            return Outcome("gone", "HTTP 410: the receiver wants no more")
        wait_s = float(retry_after) if retry_after.isdigit() else None
        # A receiver that was set up wrongly is usually put right: so every other answer is tried again.
        return Outcome("passing", f"HTTP {status}", retry_after_s=wait_s)

    @staticmethod
    def _pool(scheme: str, address: str, port: int, host: str) -> urllib3.HTTPConnectionPool:
        if scheme == "http":
            return urllib3.HTTPConnectionPool(address, port, maxsize=1)
        return urllib3.HTTPSConnectionPool(
            address, port, maxsize=1, server_hostname=host, assert_hostname=host, cert_reqs="CERT_REQUIRED"
        )


def _words(error: Exception) -> str:
    text = str(error)
    if "refused" in text:
        return "connection refused"
    if "timed out" in text:
        return "timed out"
    if "certificate" in text.lower():
        return "the certificate is not trusted"
    return f"the connection failed: {type(error).__name__}"
