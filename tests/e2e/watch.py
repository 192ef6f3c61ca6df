"""Watches pages: no error in the console, no script that fails, no request beyond our own server."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Error, Page, Request


@dataclass
class Watch:
    """Collects while a test runs; `check` fails it in the end. `allow` names an expected complaint."""

    asked: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def over(self, page: Page, origin: str) -> None:
        """Begin to watch a page of this server."""

        def asks(request: Request) -> None:
            self.asked.append(request.url)
            if not request.url.startswith((f"{origin}/", "data:")):
                self.strangers.append(request.url)

        def says(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

        def fails(error: Error) -> None:
            self.complaints.append(str(error))

        page.on("request", asks)
        page.on("console", says)
        page.on("pageerror", fails)

    def allow(self, part: str) -> None:
        """A complaint that contains this text belongs to the test."""
        self.allowed.append(part)

    def check(self) -> None:
        """Fail on a stranger's address or a complaint nobody allowed."""
        assert not self.strangers, f"requests left this machine: {self.strangers}"
        unexpected = [one for one in self.complaints if not any(part in one for part in self.allowed)]
        assert not unexpected, f"the browser complained: {unexpected}"
