"""What every command prints, of images whose names would act on a terminal.

    python -m tests.pipeline.whole.everything_printed FOLDER [URL]

It is one process, because TensorFlow takes seconds to import.
"""

import os
import sys
from pathlib import Path

from pipeline.__main__ import _code
from tests.images import encode
from tests.serving.saved import save_explaining

HOSTILE = "a\x1b[31mb\nc\u202egpj\u2028.png"
"""An escape sequence, an end of a line, an override of direction and a separator of lines."""


def make(folder: Path) -> None:
    """Makes images of both classes, good and broken ones, and a model."""
    import numpy as np

    generator = np.random.default_rng(0)
    for label, low in (("NORMAL", 0), ("PNEUMONIA", 150)):
        for number in range(6):
            name = f"{number}{HOSTILE}"
            pixels = generator.integers(low, low + 100, (60, 70), dtype=np.uint8)
            file = folder / "images" / "test" / label / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(encode(pixels, "png-grey"))
        (folder / "images" / "test" / label / f"broken{HOSTILE}").write_bytes(b"no image")
    save_explaining(folder / "model")
    (folder / HOSTILE).mkdir()


def commands(folder: Path, url: str) -> list[list[str]]:
    """Returns each command with its arguments; exit codes do not matter."""
    images, model, odd = str(folder / "images"), str(folder / "model"), str(folder / HOSTILE)
    shown = [
        ["--help"],
        ["synth", str(folder / "synthetic"), "--count", "60"],
        ["convert", images, str(folder / "out"), "--max-bad", "1"],
        ["convert", images, str(folder / "out"), "--max-bad", "0"],
        ["convert", images, str(folder / "json"), "--max-bad", "1", "--json"],
        ["convert", odd, str(folder / "none")],
        ["predict", model, images],
        ["predict", model, images, "--csv"],
        ["predict", model, images, "--json"],
        ["predict", model, f"{odd}/absent.png"],
        ["predict", odd, images],
        ["predict", model, images, "--out", str(folder / "table.csv")],
        ["explain", model, images, "--out", str(folder / "explained")],
        ["evaluate", model, images, "--out", str(folder / "found"), "--no-corruptions"],
        ["export", model, "--keras", f"{odd}/model.h5"],
        ["export", model],
        ["config", "--show"],
        ["config", "--set", f"{HOSTILE}=1"],
        ["config", "--config", odd],
        ["runs", "--root", odd],
        ["clean", "--root", odd],
        ["rollback", odd],
        ["rehearse", odd],
        ["run", "--images", odd, "--root", str(folder / "root")],
        ["convert", HOSTILE, "b", "c"],
        ["serve", odd, "--model-config-file", odd],
    ]
    if url:
        shown.append(["predict", "--url", url, images])
    return shown


def main() -> None:
    """Makes the folder, and runs every command."""
    folder, url = Path(sys.argv[1]), (sys.argv[2:] or [""])[0]
    make(folder)
    for arguments in commands(folder, url):
        sys.argv = ["cxr", *arguments]
        code = _code()
        os.write(1, f"== {arguments[0]} {code}\n".encode())
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    main()
