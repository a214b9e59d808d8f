import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.images import encode, grey_pixels
from tests.readmes import read
from transform_module import own_function
from transform_module.errors import UserError
from transform_module.images import image_ops
from transform_module.settings import TransformSettings

SIZE = 64
(EXAMPLE,) = read("trainer_module/README.md").blocks("python")


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Writes a user's module, and returns the path of its function `prepare`."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(code: str) -> str:
        monkeypatch.delitem(sys.modules, "own_pixels", raising=False)
        (tmp_path / "own_pixels.py").write_text(code)
        return "own_pixels.prepare"

    yield write
    sys.modules.pop("own_pixels", None)


def of(*lines: str, arguments: str = "pixels, size") -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return f"import numpy as np\nimport tensorflow as tf\n\n\ndef prepare({arguments}):\n{body}"


RESIZED = "small = tf.image.resize(pixels, (size, size))"
MISTAKES = {
    "shape": (of("return tf.image.resize(pixels, (32, 32)) / 255"), "(32, 32, 1) float32"),
    "channels": (
        of(RESIZED, "return tf.repeat(small / 255, 3, -1)"),
        "it returns (64, 64, 3) float32; expected is a tensor [64, 64, 1] float32 in [0, 1].",
    ),
    "shape that shows late": (
        of("return tf.cast(pixels, tf.float32) / 255"),
        "it makes [32, 32, 1] of an image of 32x32 pixels, not [64, 64, 1].",
    ),
    "dtype": (
        of("return tf.image.resize(pixels, (size, size), 'nearest')"),
        "it returns (64, 64, 1) uint8; expected is",
    ),
    "range": (of(RESIZED, "return small"), "of an image of 32x32 pixels, not in [0, 1]."),
    "not a number": (
        of(RESIZED, "return small / tf.reduce_max(small)"),
        "it makes values from nan to nan of an image of 64x64 pixels",
    ),
    "nothing": (of("return None"), "it returns NoneType; expected is"),
    "a dictionary": (of("return {'a': pixels}"), "it returns dict; expected is"),
    "too few arguments": (
        of("return pixels", arguments="pixels"),
        "it cannot become part of a graph of TensorFlow, called with pixels [height, width, 1]",
    ),
    "arrays": (
        of("return np.asarray(pixels).mean() * np.zeros((size, size, 1), np.float32)"),
        "it cannot become part of a graph of TensorFlow",
    ),
    "python": (
        of(
            "made = np.zeros((size, size, 1), np.float32)",
            "found = tf.numpy_function(lambda _: made, [pixels], tf.float32)",
            "return tf.ensure_shape(found, (size, size, 1))",
        ),
        "it uses tf.py_function or tf.numpy_function, which a served model does not have.",
    ),
    "a variable": (
        "import tensorflow as tf\n\nGAIN = tf.Variable(1 / 255)\n\n\ndef prepare(pixels, size):\n"
        "    return GAIN * tf.image.resize(pixels, (size, size))\n",
        "it uses a variable or a table",
    ),
    "random": (
        of("return tf.random.uniform((size, size, 1))"),
        "it makes other values each time of an image of 32x32 pixels; random changes belong into",
    ),
    "a failure": (
        of("return tf.image.resize(pixels[40:], (size, size)) / 255"),
        "it fails on an image of 32x32 pixels (InvalidArgumentError: ",
    ),
    "not a function": ("prepare = 1\n", "own_pixels has no function prepare."),
    "not a module": ("import nowhere\n", "its module cannot be imported (ModuleNotFoundError: "),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_reported_in_a_sentence(own, name):
    code, said = MISTAKES[name]
    with pytest.raises(UserError) as error:
        own_function.check(own(code), SIZE)
    assert str(error.value).startswith("transform.function is own_pixels.prepare: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def prepared(path: str, images: list[bytes]) -> tf.Tensor:
    chosen = TransformSettings(size=SIZE, function=path)
    return tf.function(image_ops.images_to_png)(tf.constant(images), chosen)


def test_the_readmes_function_makes_the_pixels(own):
    path = own(EXAMPLE)
    own_function.check(path, SIZE)
    content = encode(grey_pixels(200, 150), "png-grey")
    pixels, valid = image_ops.model_inputs(prepared(path, [content]), SIZE)
    decoded = image_ops.decode_grey(tf.constant(content))
    wanted = own_function.load(path)(decoded, SIZE).numpy()
    assert valid.numpy().all()
    assert np.abs(pixels[0] - wanted).max() <= 0.5 / 255 + 1e-6
    plain = image_ops.rescale(image_ops.standardize(decoded, TransformSettings(size=SIZE)))
    assert np.abs(plain - wanted).max() > 0.1


@pytest.mark.parametrize("made", ["1.003", "-0.003", "np.nan", "np.inf"])
def test_an_image_whose_pixels_leave_the_range_is_invalid_and_the_rest_is_not(own, made):
    path = own(of(RESIZED, f"return tf.where(small > 200, {made}, small / 255)"))
    images = [encode(np.full((50, 60), level, np.uint8), "png-grey") for level in (9, 255, 0)]
    assert [bool(each) for each in prepared(path, images).numpy()] == [True, False, True]


def test_it_takes_the_place_of_the_other_settings():
    with pytest.raises(ValueError, match="takes the place of"):
        TransformSettings(function="own.prepare", resize="pad")
    with pytest.raises(ValueError, match="String should match pattern"):
        TransformSettings(function="prepare")
