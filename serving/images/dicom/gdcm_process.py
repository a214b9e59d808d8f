"""Decodes one frame by GDCM, as a program of its own.

GDCM alone reads JPEG without losses, JPEG-LS and JPEG of 12 bits. Of damaged ones it aborts, or
never returns from, about one in a hundred, which would stop a server or a conversion.

The program reads a line of JSON, the fields of `Frame`, and then the compressed bytes; it writes
the pixels.
"""

import json
import sys
from dataclasses import asdict, dataclass
from typing import Final

MOST_SECONDS: Final = 60
"""It is stopped then; 50 million pixels take about 5 s."""


@dataclass(frozen=True, slots=True)
class Frame:
    """How a frame is stored.

    Attributes:
        syntax: UID of the transfer syntax.
        photometric: photometric interpretation.
        columns: width in pixels.
        rows: height in pixels.
        channels: samples a pixel.
        planar: planar configuration.
        allocated: bits of a sample in the result: 8 or 16.
        stored: bits of a sample.
        signed: 1 where samples are signed.
    """

    syntax: str
    photometric: str
    columns: int
    rows: int
    channels: int
    planar: int
    allocated: int
    stored: int
    signed: int

    @property
    def size(self) -> int:
        """The result's size in bytes."""
        return self.columns * self.rows * self.channels * self.allocated // 8

    def to_line(self) -> bytes:
        """Returns the line that the program reads."""
        return json.dumps(asdict(self)).encode() + b"\n"


def decode(frame: Frame, stream: bytes) -> bytes:
    """Decodes a frame, as pydicom's own plugin does it.

    Args:
        frame: how it is stored.
        stream: the compressed bytes.

    Returns:
        The samples.

    Raises:
        ValueError: GDCM has decoded another number of bytes.
    """
    import gdcm

    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(stream)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((frame.columns, frame.rows, 1))
    image.SetDataElement(element)
    photometric = gdcm.PhotometricInterpretation.GetPIType(frame.photometric)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(photometric))
    if frame.channels > 1:
        image.SetPlanarConfiguration(frame.planar)
    syntax = gdcm.TransferSyntax.GetTSType(frame.syntax)
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    image.SetPixelFormat(
        gdcm.PixelFormat(
            frame.channels, frame.allocated, frame.stored, frame.stored - 1, frame.signed
        )
    )
    # GDCM returns char* as text.
    samples: bytes = image.GetBuffer().encode("utf-8", "surrogateescape")
    if len(samples) != frame.size:
        raise ValueError(f"{len(samples)} bytes of {frame.size}")
    return samples


def main() -> None:
    """Decodes the frame on the standard input."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    frame = Frame(**json.loads(sys.stdin.buffer.readline()))
    sys.stdout.buffer.write(decode(frame, sys.stdin.buffer.read()))


if __name__ == "__main__":
    main()
