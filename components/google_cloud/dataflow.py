"""Beam's arguments for Dataflow."""

from components.google_cloud.settings import GoogleCloudSettings


def beam_args(settings: GoogleCloudSettings, image: str, root: str) -> list[str]:
    """Returns what Beam's steps are started with.

    Args:
        settings: with ``dataflow``.
        image: of the components. Workers run it, too: they install nothing, so that those without
            a public address start as well.
        root: where the jobs may keep files, such as gs://bucket/cxr.

    Returns:
        Options of Beam (https://cloud.google.com/dataflow/docs/reference/pipeline-options).
    """
    chosen = settings.dataflow
    assert chosen is not None
    return [
        "--runner=DataflowRunner",
        f"--project={settings.project}",
        f"--region={settings.region}",
        f"--temp_location={root}/dataflow/temp",
        f"--staging_location={root}/dataflow/staging",
        f"--sdk_container_image={image}",
        "--sdk_location=container",
        f"--worker_machine_type={chosen.machine}",
        f"--max_num_workers={chosen.max_workers}",
        f"--disk_size_gb={chosen.disk}",
        *([f"--service_account_email={settings.service_account}"] * bool(settings.service_account)),
        *([f"--subnetwork={chosen.subnetwork}"] * bool(chosen.subnetwork)),
        *(["--no_use_public_ips"] * (not chosen.public_addresses)),
    ]
