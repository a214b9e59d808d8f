"""ImportExampleGen: takes the TFRecords that `cxr convert` made into the pipeline, file by file.

TFX's own executor reads every record and shuffles all of them in Beam, which Beam's runner in this
process does in memory: 3.6 GB for 20,000 images of 26 kB. They are in their splits, in shards and
in an order of hashes already.
"""

import os
import shutil
import tempfile
from typing import Any, Final

from google.protobuf import struct_pb2
from tfx import types
from tfx.components.example_gen import component
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor, executor_spec
from tfx.dsl.io import fileio
from tfx.orchestration.data_types import RuntimeParameter
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.utils import proto_utils

from components.artifacts import example_counts
from components.code_version import code_version
from serving.files.linking import link
from serving.images.dataset import DATASET_FILE, Dataset
from transform_module.errors import UserError
from transform_module.files import intact, remote
from transform_module.files.remote import is_remote

_REMEDY: Final = "Convert the images again: cxr convert IMAGES OUT"


class Executor(base_beam_executor.BaseBeamExecutor):
    """Places each split's files under the names that TFX gives them.

    It uses no Beam, but TFX has components that read files only with an executor that may.
    """

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Places the files.

        Args:
            input_dict: nothing.
            output_dict: ``examples`` gets ``Split-NAME/data_tfrecord-*.gz``.
            exec_properties: as of TFX's ImportExampleGen; each split of ``input_config`` is one of
                the output. In a compiled task also ``dataset_fingerprint``, empty if any is good.

        Raises:
            UserError: the dataset's description or a file is missing or damaged, a file does
                not belong there, or the dataset has another fingerprint.
        """
        given = example_gen_pb2.Input()
        proto_utils.json_to_proto(exec_properties["input_config"], given)
        base = exec_properties["input_base"]
        dataset = _dataset(base)
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        examples.split_names = artifact_utils.encode_split_names(
            [split.name for split in given.splits]
        )
        records = {split.name: dataset.images(split.name) for split in given.splits}
        example_counts.mark(examples, records, dataset.fingerprint)
        # A compiled task has one, under which its outputs are cached.
        expected = exec_properties.get(example_counts.FINGERPRINT, "")
        example_counts.require_fingerprint(examples, expected)
        for split in given.splits:
            files = _files(dataset, base, split.name)
            folder = artifact_utils.get_split_uri([examples], split.name)
            if fileio.exists(folder):
                fileio.rmtree(folder)
            fileio.makedirs(folder)
            for index, (file, sha256) in enumerate(files.items()):
                name = f"data_tfrecord-{index:05}-of-{len(files):05}.gz"
                _place(file, os.path.join(folder, name), sha256)
        examples_utils.set_payload_format(examples, exec_properties["output_data_format"])
        examples_utils.set_file_format(examples, "tfrecords_gzip")


def _place(file: str, target: str, sha256: str) -> None:
    """Places a file, which has to be what the conversion wrote."""
    # A store may list a file later than it can be read.
    try:
        with remote.opened(file) as opened:
            if not is_remote(file) and not is_remote(target):
                _require(intact.sha256_of(opened) == sha256, file)
                link(file, target)
                return
            # What is summed up is what is placed, also where a conversion replaces it meanwhile.
            with tempfile.TemporaryFile() as copy:
                shutil.copyfileobj(opened, copy)
                copy.seek(0)
                _require(intact.sha256_of(copy) == sha256, file)
                copy.seek(0)
                remote.upload(copy, target)
    except remote.NOT_FOUND:
        raise UserError(f"{file} is missing. {_REMEDY}") from None


def _require(is_intact: bool, file: str) -> None:
    if not is_intact:
        raise UserError(f"{file} is damaged. {_REMEDY}")


def _dataset(base: str) -> Dataset:
    path = os.path.join(base, DATASET_FILE)
    try:
        with remote.opened(path) as file:
            return Dataset.parse(file.read(), path)
    except remote.NOT_FOUND:
        raise UserError(f"There is no file {path}. Make it: cxr convert IMAGES OUT") from None


def _files(dataset: Dataset, base: str, split: str) -> dict[str, str]:
    """Returns the SHA-256 of each file of a split, in their order; there may be no other file."""
    wanted = {name: each for name, each in dataset.files.items() if name.startswith(f"{split}/")}
    if not wanted:
        raise UserError(f"{base} has no files of the split {split}. {_REMEDY}")
    for name in remote.files(os.path.join(base, split)):
        if f"{split}/{name}" not in wanted:
            raise UserError(f"{os.path.join(base, split, name)} does not belong there. {_REMEDY}")
    return {os.path.join(base, name): wanted[name] for name in sorted(wanted)}


class ImportExampleGen(component.FileBasedExampleGen):
    """TFX's, with an executor that reads no record."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        input_base: str | RuntimeParameter,
        input_config: example_gen_pb2.Input,
    ) -> None:
        """Constructs the component.

        Args:
            input_base: folder with the files.
            input_config: splits and the patterns of their files; ``{SPAN}`` and such are not used.
        """
        # TFX gives components that read files no other place for a parameter of one's own.
        custom_config = example_gen_pb2.CustomConfig()
        custom_config.custom_config.Pack(
            struct_pb2.Struct(
                fields={"code_version": struct_pb2.Value(string_value=code_version(__name__))}
            )
        )
        super().__init__(
            input_base=input_base, input_config=input_config, custom_config=custom_config
        )
