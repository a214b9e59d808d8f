"""Vertex AI, through `google-cloud-aiplatform`."""

from typing import Any, Final

from google.api_core import exceptions
from google.auth import exceptions as auth_exceptions
from google.cloud import aiplatform
from requests import exceptions as requests_exceptions

from pipeline.cluster.submission.retries import Refusal, attempt
from pipeline.cluster.submission.submitted import Progress, State, Submission, Submitted
from transform_module.errors import UserError

# google.cloud.aiplatform.v1.PipelineState
_STATES: Final[dict[str, State]] = {
    "PIPELINE_STATE_QUEUED": "pending",
    "PIPELINE_STATE_PENDING": "pending",
    "PIPELINE_STATE_RUNNING": "running",
    "PIPELINE_STATE_PAUSED": "running",
    "PIPELINE_STATE_CANCELLING": "running",
    "PIPELINE_STATE_SUCCEEDED": "succeeded",
    "PIPELINE_STATE_FAILED": "failed",
    "PIPELINE_STATE_CANCELLED": "cancelled",
}
_BROKEN: Final = (
    auth_exceptions.TransportError,
    exceptions.RetryError,
    requests_exceptions.ConnectionError,
)
_LOGIN: Final = "Log in: gcloud auth application-default login"


class Vertex:
    """A region of a project. Who one is comes from Google's own places."""

    def __init__(self, project: str, region: str, endpoint: str | None = None) -> None:
        """Connects to nothing yet.

        Args:
            project: the project's id.
            region: such as us-central1.
            endpoint: another address of the API than the region's, such as that of a private
                connection.
        """
        self._where = f"Vertex AI ({project}, {region})"
        self._project = project
        self._region = region
        aiplatform.init(
            project=project, location=region, api_endpoint=endpoint, api_transport="rest"
        )

    def submit(self, submission: Submission) -> Submitted:
        """Starts a run; see `submitted.Cluster`."""
        job = self._job(submission)
        self._attempt(
            lambda: job.submit(
                service_account=submission.service_account,
                network=submission.network,
                experiment=submission.experiment,
            ),
            repeatable=False,
        )
        return Submitted(job.resource_name, job._dashboard_uri() or "")

    def schedule(self, submission: Submission, cron: str) -> Submitted:
        """Starts a run again and again; see `submitted.Cluster`."""
        job = self._job(submission)
        schedule = self._attempt(
            lambda: job.create_schedule(
                cron=cron,
                display_name=submission.name,
                service_account=submission.service_account,
                network=submission.network,
                max_concurrent_run_count=1,
            ),
            repeatable=False,
        )
        return Submitted(schedule.resource_name, schedule._dashboard_uri() or "")

    def progress(self, run: str) -> Progress:
        """Returns the state of a run; see `submitted.Cluster`."""
        found = self._attempt(
            lambda: aiplatform.PipelineJob.get(run, project=self._project, location=self._region),
            repeatable=True,
        )
        details = found.task_details
        tasks = {each.task_name: each.state.name.lower() for each in details}
        said = [
            f"{each.task_name}: {each.error.message or 'it gives no reason'}"
            for each in details
            if each.state.name == "FAILED"
        ]
        if found.gca_resource.error.message:
            said.append(found.gca_resource.error.message)
        return Progress(_STATES.get(found.state.name, "running"), tasks, "\n".join(said))

    def _job(self, submission: Submission) -> aiplatform.PipelineJob:
        def make() -> aiplatform.PipelineJob:
            return aiplatform.PipelineJob(
                display_name=submission.name,
                template_path=submission.file,
                parameter_values=dict(submission.parameters),
                pipeline_root=submission.root,
                enable_caching=submission.cache,
                labels=dict(submission.labels),
                project=self._project,
                location=self._region,
            )

        return self._attempt(make, repeatable=True)

    def _attempt(self, request: Any, *, repeatable: bool) -> Any:
        try:
            return attempt(
                request, _understand, where=self._where, login=_LOGIN, repeatable=repeatable
            )
        except auth_exceptions.DefaultCredentialsError:
            raise UserError(
                f"{self._where} needs credentials, and nobody is logged in. {_LOGIN}"
            ) from None


def _understand(error: Exception) -> Refusal | None:
    if isinstance(error, exceptions.GoogleAPICallError):
        return Refusal(int(error.code or 0), str(error.message))
    if isinstance(error, auth_exceptions.RefreshError):
        return Refusal(401, str(error))
    if isinstance(
        error,
        auth_exceptions.TransportError
        | requests_exceptions.ConnectionError
        | exceptions.RetryError,
    ):
        return Refusal(0, str(error))
    return None
