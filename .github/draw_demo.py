"""Draws the README's image from a finished demo: test images, truth and answer.

make demo && .venv/bin/python .github/draw_demo.py .demo
"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from serving.predict.files import FilePrediction, predict

TILE, GAP, TEXT = 200, 12, 44
NAMES = {"NORMAL": ("#1a7f37", "normal"), "PNEUMONIA": ("#b35900", "pneumonia")}


def draw(root: Path, out: Path) -> None:
    """Draws five images of each class, every fifth of those that are valid.

    Args:
        root: of the demo's run.
        out: the PNG to write.
    """
    rows = [[each for each in _predicted(root, label) if each.valid][3::9][:5] for label in NAMES]
    width = GAP + 5 * (TILE + GAP)
    sheet = Image.new("RGB", (width, GAP + len(rows) * (TILE + TEXT + GAP)), "white")
    pen = ImageDraw.Draw(sheet)
    for row, (label, predictions) in enumerate(zip(NAMES, rows, strict=True)):
        for column, each in enumerate(predictions):
            left, top = GAP + column * (TILE + GAP), GAP + row * (TILE + TEXT + GAP)
            image = Image.open(each.path).convert("L").resize((TILE, TILE))
            sheet.paste(image, (left, top))
            colour, name = NAMES[each.label]
            pen.text((left, top + TILE + 4), f"drawn {NAMES[label][1]}", "#57606a", _font(13))
            answer = f"{name}, p = {each.probability:.2f}"
            pen.text((left, top + TILE + 20), answer, colour, _font(16))
    sheet.save(out, optimize=True)


def _predicted(root: Path, label: str) -> list[FilePrediction]:
    return predict(root / "pushed" / "chest_xray", [root / "images" / "test" / label])


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(__file__).with_name("demo.png"))
