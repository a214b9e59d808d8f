"""Memory and time of the data's way through the pipeline, by the number of images.

    python -m tests.benchmarks.scale FOLDER [--images 100000 500000]

Draws so many small X-rays of as many patients into FOLDER, converts them and runs the pipeline up
to Transform, each number in a process of its own. Prints the highest memory and the time per image
of each step.
"""

import argparse
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

SIDE: Final = 40
"""Of the images, in pixels: time and space are what is done for each image, not for its size."""

_IN_A_FOLDER: Final = 1000
_MIB: Final = 2**20


def draw(folder: Path, images: int) -> Path:
    """Draws images of as many patients, each another one; those that are there are kept.

    Args:
        folder: gets a folder of images for this number.
        images: their number.

    Returns:
        The image folder.
    """
    target = folder / f"{images}-images"
    rows, columns = np.mgrid[:SIDE, :SIDE]
    for number in range(images):
        label, name = (
            ("PNEUMONIA", f"person{number}_virus_1.png"),
            ("NORMAL", f"IM-{number:08d}-0001.png"),
        )[number % 2]
        path = target / label / f"{number // _IN_A_FOLDER:05d}" / name
        if path.exists():
            continue
        random = np.random.default_rng(number)
        shift, size = random.normal(0, 1.5), random.uniform(0.85, 1.15)
        lungs = sum(
            ((columns - middle - shift) / (6 * size)) ** 2 + ((rows - 19) / (12 * size)) ** 2 < 1
            for middle in (11, 28)
        )
        pixels = np.clip(170 - 110 * lungs + random.normal(0, 25, (SIDE, SIDE)) - rows, 0, 255)
        encoded = io.BytesIO()
        Image.fromarray(pixels.astype(np.uint8)).save(encoded, "png", compress_level=1)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded.getvalue())
    return target


def measure(folder: Path, images: int) -> dict[str, tuple[float, float]]:
    """Runs the steps on so many images.

    Args:
        folder: of the images and of what is made of them.
        images: their number.

    Returns:
        Milliseconds per image and peak memory in MiB, by step.
    """
    command = [sys.executable, "-m", "tests.benchmarks.data_only"]
    drawn = draw(folder, images)
    paths = ["--images", str(drawn), "--root", str(folder / f"{images}-root")]
    printed = subprocess.run([*command, *paths], check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(printed.stdout.splitlines()[-1])
    return {name: (1000 * seconds / images, peak / _MIB) for name, (seconds, peak) in found.items()}


def main() -> None:
    """Measures, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, nargs="+", default=[100_000, 500_000])
    options = parser.parse_args()
    print(f"{'step':18} {'images':>9} {'ms/image':>9} {'peak MiB':>9}")
    for images in options.images:
        for name, (milliseconds, peak) in measure(options.folder, images).items():
            print(f"{name:18} {images:>9,} {milliseconds:>9.2f} {peak:>9,.0f}", flush=True)


if __name__ == "__main__":
    main()
