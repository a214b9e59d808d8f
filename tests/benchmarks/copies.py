"""How many pairs of different patients' X-rays a perceptual hash takes for copies.

    python -m tests.benchmarks.copies FOLDER

FOLDER holds X-rays of Kermany et al. 2018, of any nesting. The figures stand in
`components.convert.screening.copies`, whose thresholds follow from them.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image

from components.convert.screening.appearance import thumbnail
from components.convert.screening.copies import MOST_BITS
from serving.images import decode_check
from serving.images.patient_names import known_patient
from tests.components.convert.former import distances

HASHES: dict[str, Callable[[Image.Image], imagehash.ImageHash]] = {
    "pHash": lambda image: imagehash.phash(image, hash_size=16, highfreq_factor=2),
    "dHash": lambda image: imagehash.dhash(image, hash_size=16),
    "wHash": lambda image: imagehash.whash(image, hash_size=16),
}
STEPS = (0, 8, 16, 24, MOST_BITS, 36)


def false_matches(
    images: list[np.ndarray], patients: list[str], name: str, most: tuple[int, ...] = STEPS
) -> list[int]:
    """Counts the pairs of different patients within each distance.

    Args:
        images: thumbnails.
        patients: whose they are.
        name: one of HASHES.
        most: numbers of bits.
    """
    packed = [np.packbits(HASHES[name](Image.fromarray(each)).hash) for each in images]
    found = np.concatenate([*distances(np.stack(packed), max(most))])
    names = np.array(patients)
    bits = found[names[found[:, 0]] != names[found[:, 1]], 2]
    return [int((bits <= limit).sum()) for limit in most]


def main(folder: Path) -> None:
    """Prints a row for each hash."""
    images: list[np.ndarray] = []
    patients: list[str] = []
    seen: set[bytes] = set()
    for path in sorted(folder.rglob("*.jpeg")):
        data = path.read_bytes()
        decoded = decode_check.decode(data)
        if isinstance(decoded, tuple) and data not in seen:
            seen.add(data)
            images.append(thumbnail(decoded[1]))
            patients.append(known_patient(path.name) or path.name)
    print(f"{'bits':8}", *(f"{limit:>9}" for limit in STEPS))
    for name in HASHES:
        counts = false_matches(images, patients, name)
        print(f"{name:8}", *(f"{count:>9,}" for count in counts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
