"""Pages examined in a real browser, in the environment that tests/run.sh --all makes for it."""

import base64
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support import answered

CHROMIUM = Path(__file__).parent / "chromium"
Examine = Callable[..., list[dict[str, list[str]]]]


@pytest.fixture(scope="session")
def browser_environment() -> str:
    """The folder of an environment with Playwright and axe-core, on a machine with Chromium."""
    folder = os.environ.get("SEEDKIT_BROWSER_ENV")
    if not folder or not Path("/usr/bin/chromium").exists() or not Path(folder, "axe.min.js").exists():
        pytest.skip("no Chromium, Playwright or axe-core: bash tests/run.sh --all installs them")
    return folder


@pytest.fixture(scope="session")
def examine(browser_environment: str) -> Examine:
    """(page, names of checks) pairs; no names are all checks -> for each page its faults by view and check."""

    def run(*asked: tuple[Path, list[str]]) -> list[dict[str, list[str]]]:
        questions = [[str(page), checks] for page, checks in asked]
        found: list[dict[str, list[str]]] = answered(browser_environment, CHROMIUM / "examine.py", questions)
        return found

    return run


def sealed(html: str) -> str:
    """The page with the hashes of its style and script in its policy."""
    for tag, name in (("style", "STYLE"), ("script", "SCRIPT")):
        inline = re.search(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert inline
        digest = hashlib.sha256(inline[1].encode()).digest()
        html = html.replace(f"sha256-{name}", f"sha256-{base64.b64encode(digest).decode()}")
    return html


@pytest.fixture(scope="session")
def good_page() -> str:
    """A page that passes every check, its policy not yet sealed."""
    return (CHROMIUM / "good.html").read_text()
