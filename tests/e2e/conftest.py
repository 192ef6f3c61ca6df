"""A real Chromium before the true web server over a real database."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from dashboards.web.build import node_and_npm
from hub.access.model import Role
from hub.access.store import add_user, hashed_password, open_session
from hub.access.tables import user as user_table
from hub.api.deps import SESSION_COOKIE
from tests.e2e.village import Village, found_commune, village
from tests.e2e.watch import Watch
from tests.e2e.web_server import WebServer
from tests.support.servers import require_program

CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

WAIT_MS = 20_000
"""How long a page may take on a machine that runs other things too."""

expect.set_options(timeout=WAIT_MS)

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1440, "height": 900}

STAFF_PASSWORD = "den-sang-tram-than"

OpenPage = Callable[..., Page]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium from the system; skipped, or failed in CI, where there is none.

    For this package only: while it is open, playwright's own event loop runs in this thread, and no other
    test could run one.
    """
    path = require_program("chromium")
    with pytest.MonkeyPatch.context() as environment:
        # Playwright's own Node wants a library that a bare Debian lacks; the one that builds our pages doesn't.
        environment.setenv("PLAYWRIGHT_NODEJS_PATH", node_and_npm()[0])
        with sync_playwright() as playwright:
            opened = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
            yield opened
            opened.close()


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the commune's poles and money, to copy."""
    folder = tmp_path_factory.mktemp("founded")
    found_commune(folder)
    return folder / "hub.db"


@pytest.fixture(scope="module")
def commune(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    """The commune of one test file; tests use different poles."""
    folder = tmp_path_factory.mktemp("commune")
    shutil.copy(founded, folder)
    with village(folder) as found:
        now = datetime.now(UTC)
        with found.engine.begin() as conn:
            add_user(conn, "canbo", Role.STAFF, hashed=hashed_password(STAFF_PASSWORD), now=now)
            add_user(conn, "nguoixem", Role.VIEWER, now=now)
        yield found


@pytest.fixture(scope="module")
def server(commune: Village) -> Iterator[WebServer]:
    """The web server over the commune's databases."""
    found = WebServer(commune.database_url, commune.telemetry_url)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def watch() -> Watch:
    """What every page of a test asked for and complained about; checked when the test ends."""
    return Watch()


@pytest.fixture
def open_page(browser: Browser, commune: Village, server: WebServer, watch: Watch) -> Iterator[OpenPage]:
    """A function that opens a page in a fresh browser profile, signed in as a user or as nobody."""
    contexts: list[BrowserContext] = []

    def open_it(
        path: str,
        *,
        user: str | None = "canbo",
        size: dict[str, int] = DESK,
        javascript: bool = True,
        cookies: dict[str, str] | None = None,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            locale="vi-VN",
            timezone_id="America/New_York",  # the pages show Vietnam's time wherever the reader sits
            java_script_enabled=javascript,
        )
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        given = dict(cookies or {})
        if user is not None:
            given[SESSION_COOKIE] = _session(commune, user)
        context.add_cookies(
            [{"name": name, "value": value, "url": server.url} for name, value in given.items()]
        )
        page = context.new_page()
        watch.over(page, server.url)
        page.goto(f"{server.url}{path}", wait_until="domcontentloaded")
        return page

    yield open_it
    for context in contexts:
        context.close()
    watch.check()


def _session(commune: Village, name: str) -> str:
    with commune.engine.begin() as conn:
        key = conn.execute(user_table.select().where(user_table.c.name == name)).one().id
        return open_session(conn, key, now=datetime.now(UTC))
