"""Memory and time of the conversion of large DICOM files, by their number.

    python -m tests.benchmarks.dicom FOLDER [--images 500 5000] [--side 3000]

Writes some different radiographs into FOLDER, as links under as many names as there are images,
and converts each number of them in a process of its own, beside those that decode. The records of
5,000 images of 3000x3000 take 64 GB there, until the next number.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import numpy as np

_DIFFERENT: Final = 8
_MIB: Final = 1024


def draw(folder: Path, images: int, side: int) -> Path:
    """Writes uncompressed radiographs of 12 bits, of both classes in turn.

    Args:
        folder: gets them.
        images: their number.
        side: width and height in pixels.

    Returns:
        The image folder.
    """
    from tests.dicom_files import dicom

    target = folder / "images"
    rows, columns = np.mgrid[:side, :side] / side
    for number in range(min(images, _DIFFERENT)):
        random = np.random.default_rng(number)
        lungs = sum(
            ((columns - middle) / 0.15) ** 2 + ((rows - random.uniform(0.4, 0.6)) / 0.3) ** 2 < 1
            for middle in (0.28, 0.7)
        )
        noise = random.normal(0, 12, (side, side))
        stored = np.clip(3000 - 1700 * lungs - 600 * rows + noise, 0, 4095).astype(np.uint16)
        (folder / f"{number}.dcm").write_bytes(
            dicom(stored, 12, WindowCenter=2048, WindowWidth=4e3)
        )
    for number in range(images):
        path = target / ("NORMAL", "PNEUMONIA")[number % 2] / f"{number:05d}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(folder / f"{number % _DIFFERENT}.dcm", path)
    return target


def convert(folder: Path, images: int, side: int) -> float:
    """Draws and converts images in this process.

    Args:
        folder: a folder that is not there yet.
        images: their number.
        side: width and height in pixels.

    Returns:
        Images a second.
    """
    from components.convert.convert import convert as convert_folder
    from serving.images.settings import DatasetSettings

    folder.mkdir(parents=True)
    drawn = draw(folder, images, side)
    start = time.perf_counter()
    dataset = convert_folder(drawn, folder / "examples", settings=DatasetSettings(), seed=1)
    seconds = time.perf_counter() - start
    if sum(split.images for split in dataset.splits) != images:
        raise RuntimeError(f"not all images were taken: {dataset.quarantine_reasons}")
    return images / seconds


def main() -> None:
    """Prints a line for each number of images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, nargs="+", default=[500, 5000])
    parser.add_argument("--side", type=int, default=3000)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        speed = convert(arguments.folder, arguments.images[0], arguments.side)
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB
        print(json.dumps({"a second": speed, "MiB": used}))
        return
    print("images  a second  MiB")
    for images in arguments.images:
        folder = arguments.folder / f"{images}-dicom"
        command = [sys.executable, "-m", "tests.benchmarks.dicom", str(folder), "--here"]
        options = ["--images", str(images), "--side", str(arguments.side)]
        try:
            done = subprocess.run([*command, *options], check=True, stdout=subprocess.PIPE)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        found = json.loads(done.stdout.splitlines()[-1])
        print(f"{images:,}  {found['a second']:.2f}  {found['MiB']:,.0f}", flush=True)


if __name__ == "__main__":
    main()
