"""Draws the README's image of the report, from a finished demo.

make demo && .venv/bin/python .github/draw_report.py .demo
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from selenium import webdriver

WIDTH, SCALE = 1000, 1.25
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
CHOOSE = """
const kept = ['performance', 'misses'].map(name => document.getElementById(name).parentNode);
document.querySelectorAll('section').forEach(each => kept.includes(each) || each.remove());
document.querySelectorAll('nav, .notice, .verdict ul, main > .note, .misses li:nth-child(n + 4)')
  .forEach(each => each.remove());
document.body.style.paddingBottom = '1rem';
"""


def draw(page: Path, out: Path) -> None:
    """Draws the head of a page, its figures, its curves and its worst errors.

    Args:
        page: of a run.
        out: the PNG to write.
    """
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in FLAGS:
        options.add_argument(flag)
    service = webdriver.ChromeService(shutil.which("chromedriver") or "")
    with webdriver.Chrome(options, service) as browser:
        metrics = {"width": WIDTH, "height": 800, "deviceScaleFactor": SCALE, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.get(page.resolve().as_uri())
        browser.execute_script(CHOOSE)
        metrics["height"] = browser.execute_script("return document.body.scrollHeight")
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        content = browser.get_screenshot_as_png()
    Image.open(io.BytesIO(content)).convert("RGB").quantize(256, kmeans=3).save(out, optimize=True)


if __name__ == "__main__":
    pages = sorted(Path(sys.argv[1], "reports").glob("*.html"))
    draw(pages[-1], Path(__file__).with_name("report.png"))
