# ruff: noqa: INP001 - a script beside its pictures
"""Takes the README's pictures from the running demo.

Needs Chromium and the package playwright, which nothing else here uses:

    rca-bot demo --no-open --port 8799 &
    pip install playwright && python docs/pictures/take.py http://127.0.0.1:8799/ui/ /usr/bin/chromium
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

HERE = Path(__file__).parent
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


def main(address: str, chromium: str) -> None:
    """Take the card alone, then the workspace after a click on Escalate."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        page = browser.new_page(viewport={"width": 1440, "height": 1000}, device_scale_factor=1.5)
        page.goto(address)
        page.locator(".thread-link").first.click()
        page.get_by_role("button", name="Escalate to Infra").wait_for()
        _card(page).screenshot(path=HERE / "card.png")
        page.get_by_role("button", name="Escalate to Infra").click()
        page.get_by_role("button", name="Page now").click()
        page.get_by_text("Paged Infra").first.wait_for()
        _card(page).scroll_into_view_if_needed()
        page.screenshot(path=HERE / "demo.png")
        browser.close()


def _card(page: Page) -> Locator:
    return page.locator("article").filter(has_text="Ingestion failure").first


if __name__ == "__main__":
    main(*sys.argv[1:])
