"""What a page that is one file must do in a real browser: each check takes an opened page and returns its faults, a line each.

Runs in the environment of tests/requirements-browser.txt. What a browser is asked stands in page_checks.js.
"""

from __future__ import annotations

import io
import re
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Page  # type: ignore[import-not-found]  # in its own environment
from pypdf import PdfReader  # type: ignore[import-not-found]

Pixels = np.ndarray[Any, np.dtype[np.int16]]  # (height, width, 3), 0 to 255
CHROMIUM = "/usr/bin/chromium"
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]  # axe-core's names of WCAG's levels A and AA
LEAST_INK = 0.001  # share of a chart's pixels that differ from its background, its labels left out
LEAST_LABEL_PX = 8.0
DIFFERENT = 24  # of 255, in one colour channel: more than what smoothing of a plain area does


@dataclass
class Opened:
    """A page in a window of its own, with all that it said and asked for since it was opened."""

    path: Path
    page: Page
    session: CDPSession
    said: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def ask(self, expression: str) -> Any:
        """The value of an expression over page_checks.js."""
        source = Path(__file__).with_name("page_checks.js").read_text()
        return self.page.evaluate(f"() => {{ {source}\nreturn {expression}; }}")

    def png(self, box: dict[str, float]) -> bytes:
        """A picture of {x, y, width, height}, in CSS pixels from the top left of the page."""
        top = self.ask(f"scrolledTo({box['y']})")
        return bytes(self.page.screenshot(clip={**box, "y": box["y"] - top}, animations="disabled"))

    def picture(self, box: dict[str, float]) -> Pixels:
        return np.asarray(Image.open(io.BytesIO(self.png(box))).convert("RGB"), dtype=np.int16)


@dataclass(frozen=True)
class View:
    """How a page is looked at. width, height: of the window, in CSS pixels."""

    width: int
    height: int
    color_scheme: str
    scripts: bool = True

    @property
    def phone(self) -> bool:
        return self.width < 600


VIEWS = {
    "wide-light": View(1400, 900, "light"),
    "wide-dark": View(1400, 900, "dark"),
    "phone-light": View(390, 844, "light"),
    "phone-dark": View(390, 844, "dark"),
    "no-scripts": View(1400, 900, "light", scripts=False),
}


def open_page(browser: Browser, path: Path, view: View) -> Opened:
    """Open a file in a fresh profile, and listen from before its first byte on: console, exceptions, dialogs, network."""
    context = browser.new_context(
        viewport={"width": view.width, "height": view.height},
        screen={"width": view.width, "height": view.height},
        color_scheme=view.color_scheme,
        java_script_enabled=view.scripts,
        is_mobile=view.phone,
        has_touch=view.phone,
        reduced_motion="reduce",
    )
    page = context.new_page()
    opened = Opened(path, page, context.new_cdp_session(page))

    def dialog(shown: Any) -> None:
        opened.said.append(f"a dialog: {shown.message}")
        shown.dismiss()

    def console(message: Any) -> None:
        if message.type in ("error", "warning"):
            opened.said.append(f"{message.type}: {message.text}")

    page.on("console", console)
    page.on("pageerror", lambda error: opened.said.append(f"exception: {error}"))
    page.on("dialog", dialog)
    context.on("page", lambda other: opened.said.append(f"a window: {other.url}") if other is not page else None)
    address = path.resolve().as_uri()
    opened.session.send("Network.enable")

    def requested(url: str) -> None:
        if url.partition("#")[0] != address and not url.startswith("data:"):
            opened.requests.append(url[:200])

    opened.session.on("Network.requestWillBeSent", lambda event: requested(event["request"]["url"]))
    opened.session.on("Network.webSocketCreated", lambda event: requested(event["url"]))
    page.goto(address)
    return opened


# --- the checks


def quiet(opened: Opened) -> list[str]:
    """No error or warning in the console, no exception, no dialog, no second window."""
    opened.page.screenshot()  # what a style asks for it asks for when it is painted
    return list(opened.said)


def offline(opened: Opened) -> list[str]:
    """No request was sent or tried, and there is no address that one could go to, links to https: pages apart."""
    opened.page.screenshot()  # as above
    faults: list[str] = [f"asked for {url}" for url in opened.requests]
    return faults + list(opened.ask("foreignAddresses()"))


def policy(opened: Opened) -> list[str]:
    """The page's Content-Security-Policy refuses requests, forms, and scripts that are not its own."""
    return [f"{directive} is not refused" for directive in opened.ask("policyFaults()")]


def inert(opened: Opened) -> list[str]:
    """No text of the page is run, not even when everything is pointed at and clicked; none hides or turns other text.

    A text that was run would set window.hacked. Control characters and those that turn the direction of writing stand in no text.
    """
    opened.ask("touchEverything()")
    faults = ["window.hacked is set"] if opened.page.evaluate("() => 'hacked' in window") else []
    return faults + [f"characters that are not seen in: {piece}" for piece in opened.ask("turningTexts()")]


def links(opened: Opened) -> list[str]:
    """Every link within the page leads to an element, and no two elements have one id."""
    faults: list[str] = [f"leads nowhere: {link}" for link in opened.ask("deadLinks()")]
    return faults + [f"two elements with the id {name}" for name in opened.ask("repeatedIds()")]


def ink(pixels: Pixels) -> float:
    """Share of the pixels that differ from the commonest colour. pixels: (height, width, 3)."""
    flat = pixels.reshape(-1, 3)
    colours, counts = np.unique(flat, axis=0, return_counts=True)
    return float((np.abs(flat - colours[counts.argmax()]).max(axis=1) > DIFFERENT).mean())


def charts(opened: Opened) -> list[str]:
    """There is a chart; each has a title, a description, and something drawn in it besides its labels."""
    opened.ask("unfold('details:has(svg)')")
    faults = [] if opened.ask("charts().length") else ["no chart"]
    faults += [f"without title or description: {svg}" for svg in opened.ask("undescribedCharts()")]
    opened.ask("setLabels('hidden')")
    for name, box in opened.ask("chartBoxes()"):
        share = ink(opened.picture(box))
        if share < LEAST_INK:
            faults.append(f"{name}: {share:.2%} of its pixels are drawn")
    opened.ask("setLabels('')")
    return faults


def labels(opened: Opened) -> list[str]:
    """No label of a chart overlaps another one, is cut, or is too small to be read."""
    opened.ask("unfold()")
    return list(opened.ask(f"labelFaults({LEAST_LABEL_PX})"))


def width(opened: Opened) -> list[str]:
    """The page does not scroll sideways."""
    opened.ask("unfold()")
    return list(opened.ask("tooWide()"))


def sorting(opened: Opened) -> list[str]:
    """A click on the head of a column sorts the table's rows by it, a second one the other way round, as aria-sort says."""
    opened.ask("unfold()")
    if not opened.ask("tables().length"):
        return ["no table can be sorted"]
    head = opened.page.locator("th[aria-sort] button").first
    head.click(timeout=5000)  # by the mouse, so that nothing lies over it
    said = opened.page.locator("th[aria-sort]").first.get_attribute("aria-sort")
    faults = [] if said != "none" else ["a click of the mouse sorts nothing"]
    return faults + list(opened.ask("sortingFaults()"))


def filtering(opened: Opened) -> list[str]:
    """A search field leaves exactly the items that hold what is typed, in any case, and all of them when it is emptied."""
    opened.ask("unfold()")
    fields = opened.ask("fields()")
    faults = [] if fields else ["nothing can be filtered"]
    for number, searched in enumerate(fields):
        if not searched["count"]:
            faults.append(f"{searched['name']}: filters nothing")
            continue
        faults += [f"{searched['name']}: {wrong}" for wrong in opened.ask(f"filterFaults({number})")]
    return faults


def brightness(opened: Opened) -> float:
    """Median over what the window shows, 0 to 255."""
    size = opened.page.viewport_size or {"width": 0, "height": 0}
    return float(np.median(opened.picture({"x": 0, "y": 0, **size})))


def light(opened: Opened) -> list[str]:
    found = brightness(opened)
    return [] if found > 160 else [f"brightness {found:.0f} of 255 where light is asked for"]


def dark(opened: Opened) -> list[str]:
    found = brightness(opened)
    return [] if found < 95 else [f"brightness {found:.0f} of 255 where dark is asked for"]


def without_scripts(opened: Opened) -> list[str]:
    """Where scripts are off, all text is there that is there with them, and no control that would do nothing."""
    browser = opened.page.context.browser
    assert browser is not None
    scripted = open_page(browser, opened.path, VIEWS["wide-light"])
    there = []
    for page in (scripted, opened):
        page.ask("unfold()")
        there.append(page.ask("pieces()"))
    scripted.page.context.close()
    faults = [f"not shown: {piece[:100]}" for piece in there[0] if piece not in set(there[1])]
    return faults + [f"does nothing: {control}" for control in opened.ask("controls()")]


def accessible(opened: Opened) -> list[str]:
    """axe-core finds no violation of WCAG 2.2, levels A and AA."""
    opened.ask("unfold()")
    opened.page.evaluate((Path(sys.prefix) / "axe.min.js").read_text())
    found = opened.page.evaluate(
        "levels => axe.run(document, {runOnly: {type: 'tag', values: levels}, resultTypes: ['violations']})", LEVELS
    )
    faults = []
    for rule in found["violations"]:
        first = rule["nodes"][0]
        summary = " ".join(first["failureSummary"].split())
        faults.append(f"{rule['id']}, {len(rule['nodes'])} times, first {first['target']}: {summary[:300]}")
    return faults


def letters(text: str) -> str:
    """Without spaces, and with ligatures taken apart."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


def printed(opened: Opened) -> list[str]:
    """As a PDF it has pages, none of them empty, and holds all headings and the corners of all tables as text."""
    wanted = opened.ask("[...headings(), ...cells()]")
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(opened.page.pdf())).pages]
    faults = [f"page {number} of {len(pages)} is empty" for number, text in enumerate(pages, 1) if not text.strip()]
    whole = letters("".join(pages))
    return faults + [f"not in print: {text[:100]}" for text in wanted if letters(text) not in whole]


Check = Callable[[Opened], list[str]]
# the checks of each view, in an order in which none is disturbed by those before it
CHECKS: dict[str, dict[str, Check]] = {
    "wide-light": {
        "accessible": accessible, "light": light, "links": links, "charts": charts, "labels": labels, "sorting": sorting,
        "filtering": filtering, "print": printed, "quiet": quiet, "offline": offline, "inert": inert, "policy": policy,
    },
    "wide-dark": {"accessible": accessible, "dark": dark, "charts": charts, "quiet": quiet, "offline": offline},
    "phone-light": {"accessible": accessible, "width": width, "labels": labels, "quiet": quiet, "offline": offline},
    "phone-dark": {"dark": dark, "quiet": quiet},
    "no-scripts": {"charts": charts, "links": links, "without_scripts": without_scripts, "quiet": quiet, "offline": offline},
}  # fmt: skip
