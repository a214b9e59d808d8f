"""The source and the licence of the images, as far as they are known."""

from typing import Final

from serving.images.patient_names import CONVENTIONS
from serving.images.patient_names import KERMANY as KERMANY_NAMES
from serving.report.context import Context, Source
from serving.report.settings import ReportSettings

SYNTHETIC: Final = Source(
    name="Synthetic chest X-rays",
    description="Drawn by the generator of this pipeline. They show no person.",
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
"""The known sources by their short names."""

NOT_STATED: Final = "Chest X-rays (source not stated)"
"""Name of images whose source is unknown."""

_CONFIRM: Final = (
    f"set report.dataset=kermany-2018 to state it with its licence ({KERMANY.licence})"
)


def source(key: str, settings: ReportSettings) -> Source | None:
    """Returns the source that the configuration states, or None.

    Args:
        key: one of `SOURCES`, or empty.
        settings: with the owner's own words, which take precedence.
    """
    if settings.data_source or settings.licence:
        return Source(name=settings.data_source, description="", licence=settings.licence)
    return SOURCES.get(key)


def data_source(context: Context) -> str:
    """Describes the source of the images and their licence in sentences of plain text.

    A dataset that is only recognised by its file names is named as such: file names are not proof
    of origin, and a licence is never inferred.
    """
    return f"{_origin(context)} Licence: {data_licence(context)}"


def data_licence(context: Context) -> str:
    """Returns the licence of the images, or how to state it, with a full stop."""
    if context.source and context.source.licence:
        return f"{context.source.licence.rstrip('.')}."
    return "not stated (set report.licence in the configuration)."


def _origin(context: Context) -> str:
    found = context.source
    if found is None or not found.name:
        return (
            _recognised(context)
            or "Source: not stated (set report.data_source in the configuration)."
        )
    parts = [f"{found.name.rstrip('.')}.", found.description]
    if found.citation:
        parts.append(f"Source: {found.citation}" + (f", {found.url}." if found.url else "."))
    return " ".join(part for part in parts if part)


def _recognised(context: Context) -> str:
    known = context.dataset and context.dataset.patients
    if not known:
        return ""
    names = {KERMANY_NAMES, *(each.name for each in CONVENTIONS)}
    found = [(count, name) for name, count in known.by.items() if name in names]
    if not found:
        return ""
    count, name = max(found)
    advice = _CONFIRM if name.startswith(KERMANY_NAMES) else "set report.data_source to state it"
    return (
        f"Source: not stated. {count:,} of {known.images:,} files follow {name}, which does not "
        f"prove their origin; if it is that dataset, {advice}."
    )
