"""Kubeflow Pipelines, through `kfp.Client`."""

import contextlib
import io
import json
import warnings
from typing import Any, Final

import kfp
import kfp_server_api
import urllib3

from pipeline.cluster.submission.retries import Refusal, attempt
from pipeline.cluster.submission.submitted import Progress, State, Submission, Submitted

# https://www.kubeflow.org/docs/components/pipelines/reference/api/kubeflow-pipeline-api-spec/
_STATES: Final[dict[str, State]] = {
    "PENDING": "pending",
    "RUNNING": "running",
    "PAUSED": "running",
    "CANCELING": "running",
    "SUCCEEDED": "succeeded",
    "SKIPPED": "succeeded",
    "FAILED": "failed",
    "CANCELED": "cancelled",
}
_LOGIN: Final = (
    "Log in as your installation requires (kubectl's configuration, KF_PIPELINES_* variables, or "
    "`kfp` itself)."
)
_DEFAULT_EXPERIMENT: Final = "Default"


class Kubeflow:
    """A server of Kubeflow Pipelines. Who one is comes from the client's own places."""

    def __init__(self, host: str, namespace: str | None = None) -> None:
        """Connects.

        Args:
            host: URL of the API, such as http://127.0.0.1:8080.
            namespace: of a server with several users.

        Raises:
            UserError: the server does not respond.
        """
        self._host = host.rstrip("/")
        self._namespace = namespace
        self._client = self._attempt(
            lambda: kfp.Client(host=self._host, namespace=namespace or "kubeflow"),
            repeatable=True,
        )

    def submit(self, submission: Submission) -> Submitted:
        """Starts a run; see `submitted.Cluster`."""
        experiment = self._experiment(submission)
        run = self._attempt(
            lambda: self._client.run_pipeline(
                experiment_id=experiment,
                **_wanted(submission),
            ),
            repeatable=False,
        )
        return Submitted(run.run_id, f"{self._host}/#/runs/details/{run.run_id}")

    def schedule(self, submission: Submission, cron: str) -> Submitted:
        """Starts a run again and again; see `submitted.Cluster`."""
        experiment = self._experiment(submission)
        # Kubeflow's cron has seconds in front.
        job = self._attempt(
            lambda: self._client.create_recurring_run(
                experiment_id=experiment,
                cron_expression=f"0 {cron}",
                **_wanted(submission),
                no_catchup=True,
                max_concurrency=1,
            ),
            repeatable=False,
        )
        link = f"{self._host}/#/recurringrun/details/{job.recurring_run_id}"
        return Submitted(job.recurring_run_id, link)

    def progress(self, run: str) -> Progress:
        """Returns the state of a run; see `submitted.Cluster`."""
        found = self._attempt(lambda: self._client.get_run(run), repeatable=True)
        details = (found.run_details.task_details or []) if found.run_details else []
        tasks = {each.display_name: str(each.state).lower() for each in details}
        failed = [each for each in details if each.state == "FAILED"]
        said = [f"{each.display_name}: {_said(each.error)}" for each in failed]
        if found.error:
            said.append(_said(found.error))
        return Progress(_STATES.get(str(found.state), "running"), tasks, "\n".join(said))

    def _experiment(self, submission: Submission) -> str:
        experiment = self._attempt(
            lambda: self._client.create_experiment(
                submission.experiment or _DEFAULT_EXPERIMENT, namespace=self._namespace
            ),
            repeatable=True,
        )
        return str(experiment.experiment_id)

    def _attempt(self, request: Any, *, repeatable: bool) -> Any:
        def quietly() -> Any:
            with _quiet():
                return request()

        return attempt(quietly, _understand, where=self._host, login=_LOGIN, repeatable=repeatable)


def _wanted(submission: Submission) -> dict[str, Any]:
    """Parameters that a run and a recurring run share."""
    return {
        "job_name": submission.name,
        "pipeline_package_path": submission.file,
        "params": dict(submission.parameters),
        "pipeline_root": submission.root,
        "enable_caching": submission.cache,
        "service_account": submission.service_account,
    }


def _understand(error: Exception) -> Refusal | None:
    if isinstance(error, kfp_server_api.ApiException):
        return Refusal(error.status or 0, _body(error))
    if isinstance(error, urllib3.exceptions.HTTPError):
        return Refusal(0, str(error))
    return None


def _body(error: kfp_server_api.ApiException) -> str:
    try:
        content = json.loads(error.body)
        return str(content.get("message") or content.get("error") or error.reason)
    except (TypeError, ValueError, AttributeError):
        return str(error.reason)


def _said(error: Any) -> str:
    return str(getattr(error, "message", None) or "it gives no reason")


@contextlib.contextmanager
def _quiet() -> Any:
    """The client prints links, and warns of what every user of it knows."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
