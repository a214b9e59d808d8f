"""Kubeflow Pipelines, through `kfp.Client`."""

import contextlib
import io
import json
import ssl
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import kfp
import kfp_server_api
import urllib3
from kfp.client.set_volume_credentials import ServiceAccountTokenVolumeCredentials

from pipeline.cluster.submission.retries import Refusal, attempt
from pipeline.cluster.submission.submitted import Progress, State, Submission, Submitted
from transform_module.errors import UserError

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
    "Log in as your installation requires: a token (--token-file), the cookie of a login by Dex or "
    "oauth2-proxy (--cookie-file), or KF_PIPELINES_* variables."
)
_DEFAULT_EXPERIMENT: Final = "Default"


@dataclass(frozen=True)
class Login:
    """Who one is, in files, since other users of a machine see a command line.

    Without any, the client takes it from its own places.

    Attributes:
        token: holds a bearer token, which is read again for each request: it may be replaced.
        cookies: holds what a browser sends after a login, such as ``authservice_session=...``.
        authorities: certificates of the authorities that sign the server's, in PEM.
    """

    token: Path | None = None
    cookies: Path | None = None
    authorities: Path | None = None


class Kubeflow:
    """A server of Kubeflow Pipelines."""

    def __init__(self, host: str, namespace: str | None = None, login: Login = Login()) -> None:
        """Connects.

        Args:
            host: URL of the API, such as http://127.0.0.1:8080.
            namespace: of a server with several users.
            login: who one is.

        Raises:
            UserError: the server does not respond, or a file of the login cannot be used.
        """
        self._host = host.rstrip("/")
        self._namespace = namespace
        options = _options(login)
        self._client = self._attempt(
            lambda: kfp.Client(host=self._host, namespace=namespace or "kubeflow", **options),
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
        if not experiment.experiment_id:
            raise UserError(
                f"{self._host} responds with a page in place of the API, such as that of a login. "
                f"{_LOGIN}"
            )
        return str(experiment.experiment_id)

    def _attempt(self, request: Any, *, repeatable: bool) -> Any:
        def quietly() -> Any:
            with _quiet():
                return request()

        return attempt(quietly, _understand, where=self._host, login=_LOGIN, repeatable=repeatable)


def _options(login: Login) -> dict[str, Any]:
    """Returns what the client takes."""
    options: dict[str, Any] = {}
    if login.token:
        _line(login.token, "--token-file")
        options["credentials"] = ServiceAccountTokenVolumeCredentials(str(login.token))
    if login.cookies:
        options["cookies"] = _line(login.cookies, "--cookie-file")
    if login.authorities:
        try:
            ssl.create_default_context(cafile=str(login.authorities))
        except (OSError, ssl.SSLError) as error:
            raise UserError(
                f"--ca-cert: {login.authorities} holds no certificates that can be read ({error}). "
                "Give a file in PEM."
            ) from None
        options["ssl_ca_cert"] = str(login.authorities)
    return options


def _line(file: Path, option: str) -> str:
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{option}: {file} cannot be read: {error}") from None
    found = [line.strip() for line in lines if line.strip()]
    if len(found) != 1:
        raise UserError(f"{option}: {file} has {len(found)} lines of text; it must have one.")
    return found[0]


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
