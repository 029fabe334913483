"""Some charts of a report side by side, as a browser shows them: the picture in the top README

bash Code/quickstart.sh
"$SEEDKIT_BROWSER_ENV/bin/python" tests/report/browser/chromium/picture.py Datas/quickstart/report.html Code/report/example.png

and those of a study in Code/studies/README.md

"$SEEDKIT_BROWSER_ENV/bin/python" tests/report/browser/chromium/picture.py --study Datas/studies/laptop/report.html Code/studies/laptop.png
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from page_checks import CHROMIUM, VIEWS, open_page
from PIL import Image, ImageChops, ImageOps
from playwright.sync_api import sync_playwright  # type: ignore[import-not-found]  # in its own environment

# the charts of each column, from top to bottom: selectors of which the first match is shown
COLUMNS = (
    ("#lineage-svg", '[id^="RQ2-"][id$="-categories-svg"]'),
    ('[id^="RQ1-"][id$="-complexity-svg"]', '[id^="RQ3-"][id$="-map-svg"]', '[id^="RQ4-"][id$="-shares-svg"]'),
)
STUDY_COLUMNS = (
    ('[id*="-score-RQ1-"][id$="-svg"]', '[id*="-score-RQ3-"][id$="-svg"]'),
    ('[id*="-pairs-RQ1-"][id$="-svg"]', '[id*="-pairs-RQ3-"][id$="-svg"]'),
)
GAP_PX = 32
COLOURS = 128  # as many are enough for flat colours with smoothed edges


def trimmed(png: bytes) -> Image.Image:
    """The picture without the white around what is drawn."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    return image.crop(ImageChops.invert(image).getbbox())


def pasted(images: list[Image.Image], across: bool) -> Image.Image:
    """Pictures side by side or one below the other on white, with a gap between each two."""
    sizes = [image.size for image in images]
    along, beside = (0, 1) if across else (1, 0)
    size = [0, 0]
    size[along] = sum(one[along] + GAP_PX for one in sizes) - GAP_PX
    size[beside] = max(one[beside] for one in sizes)
    whole = Image.new("RGB", (size[0], size[1]), "white")
    place = 0
    for image in images:
        whole.paste(image, (place, 0) if across else (0, place))
        place += image.size[along] + GAP_PX
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path, help="a page of report.py, of RQ1 to RQ4 or of a study")
    parser.add_argument("output", type=Path, help="the PNG to write")
    parser.add_argument("--study", action="store_true", help="the scores and differences of a study")
    arguments = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--host-resolver-rules=MAP * ~NOTFOUND"])
        page = open_page(browser, arguments.report, VIEWS["wide-light"]).page
        columns = []
        for selectors in STUDY_COLUMNS if arguments.study else COLUMNS:
            shots = [page.locator(selector).first.screenshot(animations="disabled") for selector in selectors]
            columns.append(pasted([trimmed(shot) for shot in shots], across=False))
        browser.close()
    whole = ImageOps.expand(pasted(columns, across=True), GAP_PX, "white")
    whole.quantize(COLOURS, dither=Image.Dither.NONE).save(arguments.output, optimize=True)
    print(f"{arguments.output}: {arguments.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
