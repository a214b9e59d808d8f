"""Checks the outcome of a rehearsal: a pushed model that predicts, and its report."""

import json
from pathlib import Path

from google.protobuf import json_format

from components.serving_check.sample_images import formats
from pipeline.cluster.rehearsal.invocation import Artifacts
from pipeline.cluster.rehearsal.processes import Processes
from pipeline.component_ids import REPORT
from transform_module.errors import UserError


def pushed_version(made: Artifacts, folder: Path, processes: Processes) -> Path:
    """Loads the pushed model in a process of its own, and predicts an image.

    Args:
        made: by the Pusher.
        folder: for the image and its prediction.
        processes: run it.

    Returns:
        The pushed version's folder.

    Raises:
        UserError: nothing was pushed, or it does not predict.
    """
    (artifact,) = made["pushed_model"]
    outcome = json_format.MessageToDict(artifact.metadata)
    if not outcome.get("pushed"):
        raise UserError(
            f"The model was not pushed: {outcome.get('reason') or 'the Pusher gives no reason'}."
        )
    version = Path(str(outcome["pushed_destination"]))
    image, predicted = folder / "image.png", folder / "prediction.json"
    image.write_bytes(formats()["PNG, grey"])
    predicted.unlink(missing_ok=True)
    code = processes.run(
        ["python", "-m", "pipeline", "predict", str(version), str(image), "--json"],
        {},
        predicted,
    )
    said = predicted.read_text(encoding="utf-8", errors="replace")
    start = said.find("[\n")
    if code or start < 0 or not json.loads(said[start:])[0]["valid"]:
        raise UserError(f"{version}: the pushed model does not predict: {said.strip()[-500:]}")
    return version


def refuse_without_report(made: Artifacts) -> None:
    """Refuses a rehearsal whose Report made none, which costs a run nothing but the report.

    Args:
        made: by the Report.

    Raises:
        UserError: with the reason.
    """
    (artifact,) = made["report"]
    if reason := json_format.MessageToDict(artifact.metadata).get("reason"):
        raise UserError(
            f"{REPORT}: there is no report: {reason}\nA run in a cluster continues without it."
        )
