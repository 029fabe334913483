"""Open pages in Chromium and say what is wrong with them: a line for each fault, and all faults as JSON in the last line.

"$SEEDKIT_BROWSER_ENV/bin/python" tests/report/browser/chromium/examine.py report.html --pictures /tmp/report_pictures
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from page_checks import CHECKS, CHROMIUM, VIEWS, Opened, open_page
from playwright.sync_api import Browser, sync_playwright  # type: ignore[import-not-found]  # in its own environment

SLICE_PX = 2400  # height of a picture; taller ones are more than Chromium can draw at once


def take_pictures(opened: Opened, stem: Path) -> None:
    """The whole page from top to bottom, in pictures STEM-01.png, STEM-02.png and so on."""
    before = opened.page.viewport_size or {"width": 0, "height": 0}
    height = int(opened.ask("document.documentElement.scrollHeight"))
    opened.page.set_viewport_size({"width": before["width"], "height": SLICE_PX})
    for number, top in enumerate(range(0, height, SLICE_PX), 1):
        area = {"x": 0, "y": top, "width": before["width"], "height": min(SLICE_PX, height - top)}
        Path(f"{stem}-{number:02d}.png").write_bytes(opened.png(area))
    opened.page.set_viewport_size(before)


def examine(browser: Browser, path: Path, wanted: set[str], pictures: Path | None) -> dict[str, list[str]]:
    """Faults by view and check, "wide-light links"; with `wanted`, of the checks of these names alone."""
    found: dict[str, list[str]] = {}
    for view, checks in CHECKS.items():
        chosen = {name: check for name, check in checks.items() if not wanted or f"{view} {name}" in wanted}
        if not (chosen or pictures):
            continue
        opened = open_page(browser, path, VIEWS[view])
        if pictures:
            take_pictures(opened, pictures / view)
            if view == "wide-light":
                opened.page.pdf(path=pictures / "print.pdf")
        for name, check in chosen.items():
            found[f"{view} {name}"] = check(opened)
        opened.page.context.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "pages", nargs="*", type=Path, help="HTML files; without any, standard input has [[FILE, [CHECK, ...]], ...]"
    )
    parser.add_argument("--pictures", type=Path, help="put pictures of the one page, and its print, into this folder")
    arguments = parser.parse_args()
    asked: list[list[Any]] = [[page, []] for page in arguments.pages] or json.load(sys.stdin)
    if arguments.pictures:
        arguments.pictures.mkdir(parents=True, exist_ok=True)
    answers = []
    with sync_playwright() as playwright:
        # the browser's own questions to its maker go nowhere
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--host-resolver-rules=MAP * ~NOTFOUND"])
        for page, wanted in asked:
            answers.append(examine(browser, Path(page), set(wanted), arguments.pictures))
            for check, faults in answers[-1].items():
                for fault in faults:
                    print(f"{page}: {check}: {fault}", flush=True)
        browser.close()
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
