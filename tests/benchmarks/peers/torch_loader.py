"""Images from their folders by Pillow, augmented and batched by PyTorch's loader.

    python tests/benchmarks/peers/torch_loader.py SPLITS --epochs 3

Reads, decodes, resizes, zooms, shears and flips the training split anew in every epoch, in as many
worker processes as there are cores, in batches of 32. Prints the images a second of each epoch as
JSON. Needs `pip install '.[bench]'`.
"""

import argparse
import json
import math
import os
import time

import numpy
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

SIZE, BATCH = 160, 32


class Images(Dataset):
    """Paths and labels to pixels [1, 160, 160] in [0, 1] and labels."""

    def __init__(self, listed):
        self.listed = listed

    def __len__(self):
        return len(self.listed)

    def __getitem__(self, index):
        path, label = self.listed[index]
        with Image.open(path) as image:
            image.draft("L", (SIZE, SIZE))
            grey = image.convert("L")
        factor = 1 + torch.empty(2).uniform_(-0.1, 0.1)
        shear = math.tan(0.1 * (2 * torch.rand(()).item() - 1))
        flip = -1.0 if torch.rand(()) < 0.5 else 1.0
        across, down = grey.width / SIZE, grey.height / SIZE
        # Output to input, about the middle, in one resampling.
        a, b, e = flip * factor[0].item(), shear, factor[1].item()
        middle = (SIZE - 1) / 2
        matrix = (
            across * a, across * b, across * (middle - (a + b) * middle),
            0.0, down * e, down * (middle - e * middle),
        )  # fmt: skip
        out = grey.transform(
            (SIZE, SIZE), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
        )
        pixels = torch.from_numpy(numpy.asarray(out, numpy.float32) / 255)
        return pixels[None], float(label)


def main():
    """Iterates and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("splits")
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()
    torch.manual_seed(1)
    with open(options.splits) as file:
        images = Images(json.load(file)["train"])
    loader = DataLoader(
        images, BATCH, shuffle=True, drop_last=True,
        num_workers=os.cpu_count(), persistent_workers=True,
    )  # fmt: skip
    speeds = []
    for _ in range(options.epochs):
        started = time.perf_counter()
        count = sum(len(labels) for _, labels in loader)
        speeds.append(count / (time.perf_counter() - started))
    print(json.dumps(speeds))


if __name__ == "__main__":
    main()
