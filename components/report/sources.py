"""The data sets whose source and licence a report can tell."""

from typing import Final

from components.report.context import Source

SYNTHETIC: Final = Source(
    name="Synthetic chest X-rays",
    description="Drawn by the pipeline's own generator. They show nobody.",
    licence="MIT, as the pipeline",
)

KERMANY: Final = Source(
    name="Chest X-Ray Images (Pneumonia)",
    description=(
        "5,856 X-rays of children of one to five years, from Guangzhou Women and Children's "
        "Medical Center."
    ),
    citation=(
        "Kermany et al. 2018, Identifying Medical Diagnoses and Treatable Diseases by Image-Based "
        "Deep Learning, Cell 172(5); Mendeley Data"
    ),
    licence="CC BY 4.0",
    url="https://doi.org/10.1016/j.cell.2018.02.010",
)

SOURCES: Final = {"synthetic": SYNTHETIC, "kermany-2018": KERMANY}
"""By their short names."""
