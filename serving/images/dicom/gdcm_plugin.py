"""A decoding plugin of pydicom that runs GDCM as a program of its own.

pydicom knows it once this module is imported.
"""

import subprocess
import sys
from typing import TYPE_CHECKING, Final

from pydicom import uid
from pydicom.pixels import get_decoder

from serving.images.dicom import gdcm_process
from serving.images.dicom.gdcm_process import MOST_SECONDS, Frame

if TYPE_CHECKING:
    from pydicom.pixels.decoders.base import DecodeRunner

PLUGIN: Final = "gdcm_process"

_SYNTAXES: Final = (
    uid.JPEGExtended12Bit,
    uid.JPEGLossless,
    uid.JPEGLosslessSV1,
    uid.JPEGLSLossless,
    uid.JPEGLSNearLossless,
)

# Names that pydicom requires.
DECODER_DEPENDENCIES: Final = dict.fromkeys(_SYNTAXES, ("gdcm",))


def is_available(syntax: str) -> bool:
    """Returns whether a transfer syntax is read; pydicom requires the name."""
    return syntax in _SYNTAXES


def decode_frame(stream: bytes, runner: "DecodeRunner") -> bytes:
    """Decodes a frame.

    Args:
        stream: the compressed bytes.
        runner: what pydicom knows of it, and is changed to what the result is.

    Returns:
        The samples.

    Raises:
        subprocess.SubprocessError: GDCM has failed, or takes too long.
    """
    syntax, stored = runner.transfer_syntax, runner.bits_stored
    if syntax in uid.JPEGLSTransferSyntaxes:
        # GDCM goes by the codestream, and returns colours by pixel.
        stored = runner.get_option("jls_precision", stored)
        runner.set_option("planar_configuration", 0)
        runner.set_option("bits_allocated", 8 if stored <= 8 else 16)
    frame = Frame(
        syntax=str(syntax),
        photometric=str(runner.photometric_interpretation),
        columns=runner.columns,
        rows=runner.rows,
        channels=runner.samples_per_pixel,
        planar=runner.planar_configuration if runner.samples_per_pixel > 1 else 0,
        allocated=runner.bits_allocated,
        stored=stored,
        signed=runner.pixel_representation,
    )
    # The program's errors are GDCM's, of native code.
    done = subprocess.run(
        [sys.executable, "-P", gdcm_process.__file__],
        input=frame.to_line() + stream,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=MOST_SECONDS,
        check=True,
    )
    return done.stdout


for _syntax in _SYNTAXES:
    get_decoder(_syntax).add_plugin(PLUGIN, (__name__, decode_frame.__name__))
