"""Fetching a release file over a link that is slow, metered and often gone: resumable, bounded, unhurried.

The standard library's client does it, in a thread: a library would cost every node memory for what happens
a few times a year. Redirects are not followed; the identity is the node's own, as for the broker.
"""

from __future__ import annotations

import http.client
import os
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from edge.config import BrokerSettings
from edge.update.install import MOST_FILE_BYTES, sha256_of
from edge.update.names import UpdateError

CHUNK_BYTES = 16 * 1024
ANSWER_WITHIN_S = 30.0


def fetch(
    url: str,
    target: Path,
    *,
    sha256: str,
    identity: BrokerSettings,
    bytes_per_s: float,
    stopped: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """Fetch `url` into `target`, going on where an earlier attempt ended; returns `target`.

    Never faster than `bytes_per_s` on average. Raises UpdateError for an answer that won't get better by
    asking again at once, OSError for a link that failed (ask again later: what came is kept).
    """
    have = target.stat().st_size if target.is_file() else 0
    if have and sha256_of(target) == sha256:
        return target
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    connection = _connect(parts.scheme, parts.hostname or "", parts.port, identity)
    try:
        headers = {"Range": f"bytes={have}-"} if have else {}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        if answer.status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            target.unlink()  # longer than the real file: another file's beginning
            raise UpdateError(f"{url}: what was fetched so far does not belong to it; it begins anew")
        if answer.status not in (http.client.OK, http.client.PARTIAL_CONTENT):
            raise UpdateError(f"{url}: HTTP {answer.status} {answer.reason}")
        resumed = answer.status == http.client.PARTIAL_CONTENT
        _take(answer, target, have if resumed else 0, bytes_per_s, stopped, sleep)
    except http.client.HTTPException as error:
        raise ConnectionError(f"{url}: {type(error).__name__}: {error}") from error
    finally:
        connection.close()
    if sha256_of(target) != sha256:
        target.unlink()
        raise UpdateError(f"{url} is not the file whose SHA-256 is {sha256}; it was thrown away")
    return target


def _connect(
    scheme: str, host: str, port: int | None, identity: BrokerSettings
) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=ANSWER_WITHIN_S)
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=identity.ca_file)
    if identity.cert_file is not None:
        context.load_cert_chain(identity.cert_file, identity.key_file)
    return http.client.HTTPSConnection(host, port, timeout=ANSWER_WITHIN_S, context=context)


def _take(
    answer: http.client.HTTPResponse,
    target: Path,
    have: int,
    bytes_per_s: float,
    stopped: Callable[[], bool],
    sleep: Callable[[float], None],
) -> None:
    length = answer.getheader("Content-Length")
    if length is not None and have + int(length) > MOST_FILE_BYTES:
        raise UpdateError(f"the file is larger than {MOST_FILE_BYTES // 1024**2} MB: this is no release")
    began_s, came = time.monotonic(), 0
    with target.open("r+b" if have else "wb") as file:
        file.seek(have)
        file.truncate()
        while chunk := answer.read(CHUNK_BYTES):
            came += len(chunk)
            if have + came > MOST_FILE_BYTES:
                raise UpdateError("the file never ends: this is no release")
            file.write(chunk)
            if stopped():
                raise ConnectionError("the agent is stopping")
            ahead_s = came / bytes_per_s - (time.monotonic() - began_s)
            if ahead_s > 0:
                sleep(ahead_s)
        file.flush()
        os.fsync(file.fileno())
    if length is not None and came < int(length):
        raise ConnectionError(f"the link broke off after {have + came} bytes")
