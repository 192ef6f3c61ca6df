"""Takes the README's picture: the commune at night, from the true page over the simulated commune.

`python -m tests.e2e.picture picture.png` writes it in full colour (0.8 MB); the one in docs/images was packed
to a palette afterwards.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from hub.access.model import Role
from hub.access.store import add_user, hashed_password, open_session
from hub.api.deps import SESSION_COOKIE
from tests.e2e.conftest import CHROMIUM_ARGS
from tests.e2e.village import found_commune, village
from tests.e2e.web_server import WebServer
from tests.support.servers import require_program


def take(target: Path) -> None:
    """Write the picture, 1440 by 900."""
    with tempfile.TemporaryDirectory() as folder:
        found_commune(Path(folder))
        with village(Path(folder)) as commune:
            now = datetime.now(UTC)
            with commune.engine.begin() as conn:
                user = add_user(conn, "canbo", Role.STAFF, hashed=hashed_password("den-sang-dem"), now=now)
                token = open_session(conn, user.id, now=now)
            server = WebServer(commune.database_url, commune.telemetry_url)
            server.start()
            try:
                _shoot(server.url, token, target)
            finally:
                server.stop()


def _shoot(url: str, token: str, target: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=require_program("chromium"), args=CHROMIUM_ARGS
        )
        # Reduced motion: the warning rings stand still, so the same commune gives the same picture.
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, locale="vi-VN", reduced_motion="reduce"
        )
        context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": url}])
        page = context.new_page()
        page.goto(url)
        expect(page.locator("#connection")).to_have_attribute("data-state", "live")
        page.evaluate("document.fonts.ready.then(() => true)")
        target.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=target)
        browser.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]))
