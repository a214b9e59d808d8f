import json
import shutil
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from components.convert.convert import convert
from components.synthetic import generate as module
from components.synthetic.generate import MARKER, MINIMUM_IMAGES, generate, render
from components.synthetic.plan import plan
from serving.images.settings import DatasetSettings
from transform_module.errors import UserError

SEED = 7


def tree(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    out = tmp_path_factory.mktemp("small") / "set"
    return out, generate(out, images=MINIMUM_IMAGES, seed=SEED)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    out = tmp_path_factory.mktemp("large") / "set"
    generate(out, images=600, seed=SEED)
    return out


def test_the_set_holds_what_it_shows(small):
    out, message = small
    files = tree(out)
    assert sum(sum(labels.values()) for labels in message.images.values()) == MINIMUM_IMAGES
    assert set(files) == {
        MARKER,
        *message.broken,
        *(image.path for image in plan(MINIMUM_IMAGES, SEED)),
    }
    for split, labels in message.images.items():
        for label, count in labels.items():
            named = [path for path in files if path.startswith(f"{split}/{label}/")]
            assert len(set(named) - set(message.broken)) == count
    assert message.patients == len({image.patient for image in plan(MINIMUM_IMAGES, SEED)})


def test_every_split_of_the_smallest_set_has_both_classes(small):
    assert all(
        set(small[1].images[split]) == {"NORMAL", "PNEUMONIA"} for split in ("train", "test")
    )


def test_a_larger_set_replaces_a_smaller_one_and_holds_its_images(tmp_path, small):
    said = []
    out = shutil.copytree(small[0], tmp_path / "set")
    generate(out, images=65, seed=SEED, progress=lambda *at: said.append(at))
    larger = tree(out)
    for image in plan(MINIMUM_IMAGES, SEED):
        assert larger[image.path] == (small[0] / image.path).read_bytes()
    assert len(larger) == len(tree(small[0])) + 5
    assert said == [(written, 65) for written in range(1, 66)]
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_the_converter_keeps_all_that_is_good_and_names_all_that_is_broken(tmp_path, small):
    out, message = small
    dataset = convert(out, tmp_path / "out", settings=DatasetSettings(), seed=1)
    assert dataset.quarantine_reasons == {
        "empty file": 1,
        "text file": 1,
        "too small": 1,
        "truncated JPEG": 1,
    }
    assert dataset.skipped_reasons == {"system file": 1, "text or document": 1}
    # The copy does no harm: it goes where its original goes.
    assert sum(count.written for count in dataset.folders) == MINIMUM_IMAGES + 1
    assert dataset.dropped_patients == ()
    assert dataset.missing == ()
    assert len(message.broken) == 6


def test_a_finished_set_is_left_as_it_is(tmp_path, small, monkeypatch):
    out = shutil.copytree(small[0], tmp_path / "set")
    monkeypatch.setattr(module, "_write", None)
    assert generate(out, images=MINIMUM_IMAGES, seed=SEED) == small[1]


@pytest.mark.parametrize(
    "harm", ["an image lost", "an image cut", "a stranger", "other code", "a damaged marker"]
)
def test_a_set_that_is_not_whole_is_made_anew(tmp_path, small, monkeypatch, harm):
    out, made = shutil.copytree(small[0], tmp_path / "set"), []
    monkeypatch.setattr(module, "_write", lambda out, *_: made.append(out))
    if harm == "an image lost":
        next(out.glob("train/NORMAL/*.jpeg")).unlink()
    elif harm == "an image cut":
        file = next(out.glob("train/NORMAL/*.jpeg"))
        file.write_bytes(file.read_bytes()[:-9])
    elif harm == "a stranger":
        (out / "train" / "NORMAL" / "mine.jpeg").write_bytes(b"1")
    elif harm == "other code":
        made_from = json.loads((out / MARKER).read_text())
        (out / MARKER).write_text(json.dumps(made_from | {"code": "older"}))
    else:
        (out / MARKER).write_text("{")
    generate(out, images=MINIMUM_IMAGES, seed=SEED)
    assert made == [out]


def test_the_same_arguments_give_the_same_bytes_whatever_a_killed_call_left(tmp_path, small):
    for left in (".set.partial", ".set.replaced"):
        (tmp_path / left / "train").mkdir(parents=True)
    generate(tmp_path / "set", images=MINIMUM_IMAGES, seed=SEED)
    assert tree(tmp_path / "set") == tree(small[0])
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_failure_leaves_the_former_set(tmp_path, small):
    out = shutil.copytree(small[0], tmp_path / "set")

    def fail(written, images):
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match=r"written to .*set\. .*no space left on its disk"):
        generate(out, images=61, seed=SEED, progress=fail)
    assert tree(out) == tree(small[0])


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_what_is_stopped_leaves_no_half_set(tmp_path, error):
    def progress(done, total):
        raise error

    with pytest.raises(error):
        generate(tmp_path / "set", images=60, progress=progress)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.doc").write_text("years of work")
    with pytest.raises(UserError, match=r"is not empty and holds no synthetic set"):
        generate(tmp_path, images=60, seed=SEED)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"images": 59}, "59 images are too few: 60 or more are needed"),
        ({"seed": -1}, "The seed -1 is not possible: it must be 0 or more"),
    ],
)
def test_impossible_numbers_are_refused(tmp_path, arguments, said):
    with pytest.raises(UserError, match=said):
        generate(tmp_path / "set", **arguments)


def test_an_image_is_drawn_by_seed_and_plan():
    first, second = plan(60, SEED)[:2]
    np.testing.assert_array_equal(render(first, SEED).pixels, render(first, SEED).pixels)
    assert not np.array_equal(render(first, SEED).pixels, render(first, SEED + 1).pixels)
    assert not np.array_equal(render(first, SEED).pixels, render(second, SEED).pixels)


def test_opacity_is_there_in_pneumonia_alone():
    for image in plan(40, SEED):
        opacity = render(image, SEED).opacity.max()
        assert opacity > 0.3 if image.label_name == "PNEUMONIA" else opacity == 0


def ranked(labels, scores):
    """The area under the ROC curve: how often a sick image scores above a healthy one."""
    return np.mean(scores[labels][:, None] > scores[~labels][None])


def linear_auc(cues, labels, patients, folds=5):
    """A linear model, each patient evaluated by one that was fitted on the others."""
    cues = np.c_[(cues - cues.mean(0)) / cues.std(0), np.ones(len(cues))]
    scores = np.zeros(len(labels))
    for fold in range(folds):
        held_out = patients % folds == fold
        known, targets = cues[~held_out], labels[~held_out] - labels[~held_out].mean()
        penalty = 100 * np.eye(cues.shape[1])
        scores[held_out] = cues[held_out] @ np.linalg.solve(
            known.T @ known + penalty, known.T @ targets
        )
    return ranked(labels, scores)


@pytest.fixture(scope="module")
def photographed(large):
    images = plan(600, SEED)
    labels = np.array([image.label_name == "PNEUMONIA" for image in images])
    patients = np.array([image.patient for image in images])
    return [large / image.path for image in images], labels, patients


def cheap(path):
    with Image.open(path) as film:
        pixels = np.asarray(film.convert("L"), np.float64)
        return [
            pixels.mean(),
            pixels.std(),
            film.width,
            film.height,
            film.width * film.height,
            path.stat().st_size,
            film.mode == "RGB",
            film.format == "PNG",
        ]


def small_film(path):
    with Image.open(path) as film:
        pixels = np.asarray(film.convert("L").resize((16, 16), Image.Resampling.BOX), np.float64)
    return ((pixels - pixels.mean()) / pixels.std()).ravel()


@pytest.mark.slow
def test_nothing_cheaper_than_the_opacities_shows_the_class(photographed):
    paths, labels, patients = photographed
    cues = np.array([cheap(path) for path in paths], np.float64)
    assert 0.4 <= linear_auc(cues, labels, patients) <= 0.6
    assert all(
        0.4 <= ranked(labels, cue) + np.mean(cue[labels][:, None] == cue[~labels]) / 2 <= 0.6
        for cue in cues.T
    )


@pytest.mark.slow
def test_the_opacities_show_the_class_even_to_a_linear_model(photographed):
    paths, labels, patients = photographed
    assert linear_auc(np.array([small_film(path) for path in paths]), labels, patients) > 0.75


@pytest.mark.slow
def test_sizes_and_modes_vary(photographed):
    with_modes: Counter[tuple[str, str | None]] = Counter()
    sizes = set()
    for path in photographed[0]:
        with Image.open(path) as film:
            with_modes[film.mode, film.format] += 1
            sizes.add(film.size)
    assert set(with_modes) == {("L", "JPEG"), ("RGB", "JPEG"), ("L", "PNG"), ("RGB", "PNG")}
    assert len(sizes) > 500
