"""The page: templates filled with plain data, with one style sheet and one script inside, and a policy that forbids all else."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from report.blocks import PageData, visible

TEMPLATES = Path(__file__).resolve().parent / "templates"
BEGINNING = b'<!doctype html>\n<html lang="en" data-page="report.py">'  # by which an earlier page is known


def rendered(study: PageData) -> bytes:
    """The page of a study, UTF-8. Texts are escaped by the templates; what is Markup was made by report.charts."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    policy = (
        f"default-src 'none'; style-src 'sha256-{_digest(style)}'; script-src 'sha256-{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    page = environment.get_template("page.html.j2").render(
        study=study,
        style=Markup(style),
        script=Markup(script),
        policy=Markup(policy),  # noqa: S704 - files of this folder
    )
    return page.encode(errors="backslashreplace")


def _digest(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()
