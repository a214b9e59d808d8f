"""A new version of an aligned model: the same graph and weights, with another shift of the logit.

What is served lies in ``saved_model.pb``, which stays as it is, byte for byte. The shift and the
threshold are two numbers of its checkpoint (`trainer_module.export.saved_model.Alignment`), so that
no signature changes, and ``serve_pixels``, ``explain`` and every export follow.

**Threshold and triage.** Sensitivity and specificity at a score do not depend on the prevalence. A
threshold that was chosen by them (``sensitivity``, ``youden``) is kept on the same score: its
probability moves as the others do, and no label changes. So it is with the bounds of the triage,
which keep to error rates within each class. A threshold that was chosen by costs is the probability
at which both errors cost the same (Elkan, "The Foundations of Cost-Sensitive Learning", 2001), and
a fixed one is a probability that somebody named: both are kept as probabilities, and labels change.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from serving.align import scores
from serving.align.prior_shift import logit, sigmoid
from serving.versions import pushed
from serving.versions.signature import SIGNATURE
from transform_module import contract
from transform_module.errors import UserError

KEPT_AS_PROBABILITY: Final = ("cost", "fixed")
"""The targets of an operating point whose threshold does not follow the shift."""

_SHIFT: Final = "alignment_shift"
_THRESHOLD: Final = "alignment_threshold"
_VARIABLES: Final = "variables"
_OBJECT_GRAPH: Final = "_CHECKPOINTABLE_OBJECT_GRAPH"
# Of the files of the graph and its checkpoint, of which the latter changes.
_FINGERPRINT: Final = "fingerprint.pb"


def moved(probability: float, shift: float) -> float:
    """Shifts the logit of a probability; 0 and 1 stay."""
    return float(sigmoid(logit(probability) + shift)) if 0 < probability < 1 else probability


def keeps_labels(record: Mapping[str, Any]) -> bool:
    """Returns whether the threshold follows the shift, so that no label changes."""
    return record["settings"]["operating_point"]["target"] not in KEPT_AS_PROBABILITY


def write(version: Path, folder: Path, shift: float, alignment: Mapping[str, Any]) -> None:
    """Writes the files of the new version.

    Args:
        version: the folder of the version that is aligned.
        folder: of the new one; it does not exist.
        shift: of the logit, beside what the version has.
        alignment: the section of the record.

    Raises:
        UserError: the version was exported before models could be aligned.
    """
    left = shutil.ignore_patterns(pushed.MANIFEST, SIGNATURE, _FINGERPRINT, _VARIABLES)
    shutil.copytree(version, folder, ignore=left)
    record = _read(version, contract.MODEL_RECORD)
    former = float(record["threshold"])
    kept_on_score = keeps_labels(record)
    record["threshold"] = float(np.float32(moved(former, shift))) if kept_on_score else former
    triage = record["triage"]
    for bound in ("normal_up_to", "pneumonia_from"):
        triage[bound] = float(np.float32(moved(triage[bound], shift)))
    record["calibration"]["shift"] += shift
    record["alignment"] = dict(alignment)
    _write(folder, contract.MODEL_RECORD, record, indent=2)
    _shift_network(version, folder, shift)
    _shift_reference(version, folder, shift)
    _shift_statistics(version, folder, shift)
    _write_checkpoint(version, folder, shift, 0.0 if kept_on_score else -shift)


def _shift_network(version: Path, folder: Path, shift: float) -> None:
    architecture = _read(version, contract.ARCHITECTURE)
    (layer,) = (
        each["config"]
        for each in architecture["model"]["config"]["layers"]
        if each["config"]["name"] == "calibration"
    )
    layer["offset"] += shift
    _write(folder, contract.ARCHITECTURE, architecture)


def _shift_reference(version: Path, folder: Path, shift: float) -> None:
    reference = _read(version, contract.REFERENCE_SCORES)
    for each in reference.values():
        each["logits"] = np.round(np.array(each["logits"]) + shift, 4).tolist()
    _write(folder, contract.REFERENCE_SCORES, reference)


def _shift_statistics(version: Path, folder: Path, shift: float) -> None:
    """Moves the distribution of the probability, with which drift is compared."""
    statistics = _read(version, contract.TRAINING_STATISTICS)
    found = statistics[contract.PROBABILITY]
    found["edges"] = [moved(edge, shift) for edge in found["edges"]]
    found["mean"] = float(sigmoid(scores.read(version).logits + shift).mean())
    _write(folder, contract.TRAINING_STATISTICS, statistics, indent=2)


def _write_checkpoint(version: Path, folder: Path, shift: float, of_threshold: float) -> None:
    """Writes every variable as it is, but for the shift and the threshold."""
    import tensorflow as tf
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    prefix = Path(_VARIABLES, _VARIABLES)
    reader = tf.train.load_checkpoint(str(version / prefix))
    names = sorted(reader.get_variable_to_dtype_map())
    values = {name: reader.get_tensor(name) for name in names}
    graph = trackable_object_graph_pb2.TrackableObjectGraph.FromString(values[_OBJECT_GRAPH])
    # The keys are numbers; the variables' names are beside them.
    keys = {each.full_name: each.checkpoint_key for node in graph.nodes for each in node.attributes}
    if _SHIFT not in keys or _THRESHOLD not in keys:
        raise UserError(
            f"{version} was exported before models could be aligned: its checkpoint has no "
            f"{_SHIFT}. Run the pipeline again, and align the version that it pushes."
        )
    shift_key, threshold_key = keys[_SHIFT], keys[_THRESHOLD]
    values[shift_key] = np.float32(values[shift_key] + np.float32(shift))
    values[threshold_key] = np.float32(moved(float(values[threshold_key]), of_threshold))
    (folder / _VARIABLES).mkdir()
    tf.raw_ops.SaveV2(
        prefix=str(folder / prefix),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[tf.constant(values[name]) for name in names],
    )


def _read(folder: Path, name: str) -> dict[str, Any]:
    return dict(json.loads((folder / name).read_text(encoding="utf-8")))


def _write(folder: Path, name: str, content: Mapping[str, Any], indent: int | None = None) -> None:
    text = json.dumps(content, indent=indent, allow_nan=False) + "\n"
    (folder / name).write_text(text, encoding="utf-8")
