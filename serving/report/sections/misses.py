"""The errors that are farthest from the threshold."""

from typing import Final

from serving.analysis.findings import Findings, Miss
from serving.report.context import Context
from serving.report.drawing.figure_text import UNDEFINED, figure, signed
from serving.report.drawing.html_tables import note, section, table
from serving.report.drawing.image_markup import image, name, overlay
from serving.report.drawing.markup import Markup, element, join
from transform_module.contract import LABELS

SHOWN: Final = 12
"""The number of errors that are listed."""

_ID_DIGITS: Final = 12


def misses(findings: Findings, context: Context) -> Markup:
    """Returns the section of the worst errors, with thumbnails where the settings allow them."""
    shown = findings.misses[:SHOWN]
    if not shown:
        return Markup()
    total = findings.confusion.false_positives + findings.confusion.false_negatives
    first = "" if total == len(shown) else f" The first {len(shown)} are listed."
    explained = note(
        f"{total:,} of {findings.overall.images:,} predictions are wrong at the threshold "
        f"{figure(findings.threshold)}.{first} They are sorted by how far the probability of "
        f"{LABELS[1]} is on the wrong side of the threshold, as a share of that side."
    )
    listed = _table(shown, findings, context)
    if not any(each.path in context.images for each in shown):
        return section("misses", "Worst errors", explained, listed, _notes(context))
    cards = element("ul", *(_card(each, findings, context) for each in shown), class_="misses")
    overlaid = any(thumbnail.overlay for thumbnail in context.images.values())
    legend = note(
        "The second image is the first with its Grad-CAM heat map: the warmer a region, the more "
        f"it contributed to {LABELS[1]}. It shows which region the model used, not why the "
        "prediction is wrong."
    )
    details = element("details", element("summary", "All measures"), listed, _notes(context))
    return section(
        "misses", "Worst errors", explained, legend if overlaid else None, cards, details
    )


def _notes(context: Context) -> Markup:
    parts = [
        note(
            f"id: the first {_ID_DIGITS} digits of the file's SHA-256; ",
            element("code", "find IMAGES -type f -exec sha256sum {} + | grep ^ID"),
            " finds the file. distance: probability minus threshold. in domain: “no” if the image "
            "does not resemble the training data. Contrast is the standard deviation of the "
            "pixels, sharpness that of their Laplacian, in grey levels of 255, at the size that "
            "the model sees.",
        )
    ]
    if context.verdict is None:
        parts.append(note("images.csv beside this page has every image with its file and id."))
    elif not (context.images and context.filenames):
        wanted = {
            "report.pictures=thumbnails": not context.images,
            "report.filenames=true": not context.filenames,
        }
        options = " ".join(f"--set {key}" for key, is_missing in wanted.items() if is_missing)
        missing = {
            "thumbnails with heat maps": not context.images,
            "file names": not context.filenames,
        }
        names = " and ".join(what for what, is_missing in missing.items() if is_missing)
        parts.append(
            note(
                f"To show {names}, which may identify patients, repeat the run with ",
                element("code", options),
                "; the training is taken from the cache.",
            )
        )
    return join(*parts)


def _table(shown: list[Miss], findings: Findings, context: Context) -> Markup:
    named = ["file"] if context.filenames else []
    columns = (
        "id",
        *named,
        "true label",
        "probability",
        "distance",
        "in domain",
        "subtype",
        "size",
        "contrast",
        "sharpness",
    )
    texts = {"id", "file", "true label", "subtype", "in domain"}
    return table(
        "The worst errors",
        columns,
        [
            (
                element("code", _identity(each), class_="whole"),
                *([name(each.path)] if context.filenames else []),
                each.label,
                figure(each.probability),
                signed(each.probability - findings.threshold),
                {True: "yes", False: "no", None: UNDEFINED}[each.in_domain],
                _subtype(each) or UNDEFINED,
                f"{each.width}x{each.height}" if each.width and each.height else UNDEFINED,
                figure(each.contrast, 1),
                figure(each.sharpness, 1),
            )
            for each in shown
        ],
        left=[index for index, column in enumerate(columns) if column in texts],
    )


def _card(miss: Miss, findings: Findings, context: Context) -> Markup:
    thumbnail = context.images.get(miss.path)
    subtype = _subtype(miss)
    outside = ", out of domain" if miss.in_domain is False else ""
    return element(
        "li",
        element(
            "div",
            image(thumbnail, f"An X-ray with the true label {miss.label}, predicted wrong"),
            overlay(thumbnail, "The same X-ray with its heat map"),
            class_="pair",
        ),
        element(
            "p",
            element("strong", f"{miss.label} ({subtype})" if subtype else miss.label),
            f", probability {figure(miss.probability)} "
            f"({signed(miss.probability - findings.threshold)}){outside}",
        ),
        element("p", element("code", _identity(miss)), class_="span"),
        element("p", name(miss.path), class_="span") if context.filenames else None,
    )


def _identity(miss: Miss) -> str:
    # Findings that an earlier release wrote have no checksum, and the path may be a file's name.
    return miss.sha256[:_ID_DIGITS] or UNDEFINED


def _subtype(miss: Miss) -> str:
    return miss.subtype if miss.subtype not in ("", "normal", "unknown") else ""
