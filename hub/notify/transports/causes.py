"""From what a library says about a failed try to an outcome: permanent or passing, without secrets. Pure."""

from __future__ import annotations

import re

from hub.notify.model import Outcome

PASSING_HTTP = frozenset({408, 425, 429})

_SMTP = re.compile(r"\(([245]\d\d), b(['\"])(.*?)\2", re.DOTALL)
_HTTP = re.compile(r"error=(-?\d{1,6})\b")
_ZNS = re.compile(r"zns: (permanent|passing): (.*)", re.DOTALL)

UNSURE = frozenset({"timed out", "the connection was cut"})
"""After these the message may have arrived all the same."""

_KNOWN = (
    ("refused", "connection refused"),
    ("timed out", "timed out"),
    ("Name or service not known", "the address is not known"),
    ("name resolution", "the address is not known"),
    ("unreachable", "the network is unreachable"),
    ("certificate", "the certificate is not trusted"),
    ("reset by peer", "the connection was cut"),
    ("closed", "the connection was cut"),
)


def of_http(status: int) -> Outcome:
    """The outcome of an HTTP status outside 200–299."""
    passing = status >= 500 or status in PASSING_HTTP
    return Outcome("passing" if passing else "permanent", f"HTTP {status}")


def of_words(said: str) -> Outcome:
    """The outcome of what apprise's plugin logged.

    An SMTP answer of 4xx passes, of 5xx does not (RFC 5321, 4.2.1); so HTTP 408, 425, 429 and 5xx. What can't
    be told apart passes: tries are bounded, and a message too many is better than a silent night. Only codes
    and the mail server's own words are kept: other texts may hold addresses with tokens in them.
    """
    if found := _ZNS.search(said):
        return Outcome("permanent" if found[1] == "permanent" else "passing", found[2].strip())
    if found := _SMTP.search(said):
        code, text = int(found[1]), found[3].replace("\\n", " ").strip()
        return Outcome("permanent" if code >= 500 else "passing", f"SMTP {code} {text}"[:200])
    for part, words in _KNOWN:
        if part in said:
            return Outcome("passing", words, unsure=words in UNSURE)
    if found := _HTTP.search(said):
        status = int(found[1])
        if 300 <= status < 600:
            return of_http(status)
        return Outcome("passing", f"error {status}")
    return Outcome("passing", "the transport failed without saying why")
