"""Draws the README's image of the page, with synthetic images.

make demo && .venv/bin/cxr serve .demo/pushed/chest_xray
cp .demo/images/test/*/{person{2_bacteria_8,46_virus_134,0_virus_0},IM-0008-0001}.jpeg IMAGES
.venv/bin/python .github/draw_page.py IMAGES/*

The first line keeps its terminal; the others go to a second one, a bash. IMAGES is a new folder.
"""

import sys
import time
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By

ADDRESS = "http://127.0.0.1:8501"
SIZE = {"width": 1100, "height": 820, "deviceScaleFactor": 1.5, "mobile": False}
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")


def draw(images: list[Path], out: Path) -> None:
    """Draws the page once it has predicted images.

    Args:
        images: what is dropped.
        out: the PNG to write.
    """
    options = webdriver.ChromeOptions()
    for flag in FLAGS:
        options.add_argument(flag)
    with webdriver.Chrome(options) as browser:
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", SIZE)
        browser.get(ADDRESS)
        files = "\n".join(str(each.resolve()) for each in images)
        browser.find_element(By.ID, "files").send_keys(files)
        while browser.find_elements(By.CSS_SELECTOR, ".row[aria-busy=true]"):
            time.sleep(0.5)
        time.sleep(1)  # the bars have grown
        browser.save_screenshot(str(out))
    Image.open(out).convert("RGB").quantize(256).save(out, optimize=True)


if __name__ == "__main__":
    draw([Path(each) for each in sys.argv[1:]], Path(__file__).with_name("page.png"))
