"""Beam's runner in this process, with what lies between two steps on disk.

Beam's own `FnApiRunner` (apache_beam 2.77, ``runners/portability/fn_api_runner``) holds every
element between two steps in memory: `execution.ListBuffer` and `GroupingBuffer` keep all of it, and
`BundleManager` hands a step its whole input at once, whose output waits in `InMemoryDataChannel`.
Here all three write to a file what is more than some megabytes, and a step gets its input in
bundles of that size, so that memory does not grow with the data. Only side inputs are in memory as
a whole. Small pipelines run as they do there.
"""

import itertools
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from apache_beam.coders.coder_impl import create_InputStream
from apache_beam.metrics import monitoring_infos
from apache_beam.portability.api import beam_fn_api_pb2
from apache_beam.runners.portability.fn_api_runner.execution import (
    BundleContextManager,
    GroupingBuffer,
    ListBuffer,
)
from apache_beam.runners.portability.fn_api_runner.fn_runner import BundleManager, FnApiRunner
from apache_beam.runners.worker.data_plane import InMemoryDataChannel

IN_MEMORY: Final = 8 * 1024**2
"""Bytes of a buffer that stay in memory, of a bundle, and of keys that are grouped at once."""


class DiskRunner(FnApiRunner):
    """Runs a pipeline in this process in bounded memory; chosen by ``--runner`` and its path."""

    def _get_bundle_manager(self, bundle_context_manager: BundleContextManager) -> BundleManager:
        for transform_id, buffer_id in bundle_context_manager.stage_data_outputs.items():
            buffers = bundle_context_manager.execution_context.pcoll_buffers
            buffer = bundle_context_manager.get_buffer(buffer_id, transform_id)
            if type(buffer) is ListBuffer:
                buffers[buffer_id] = _DiskList(buffer._coder_impl)
            elif type(buffer) is GroupingBuffer:
                buffers[buffer_id] = _DiskGroups(
                    buffer._pre_grouped_coder, buffer._post_grouped_coder, buffer._windowing
                )
        manager = super()._get_bundle_manager(bundle_context_manager)
        if type(manager) is BundleManager and not bundle_context_manager.stage.is_stateful():
            return _SmallBundles(
                bundle_context_manager,
                self._progress_frequency,
                cache_token_generator=manager._cache_token_generator,
            )
        return manager


class _Pieces:
    """A list of bytes, whose first ones are in memory and the others in a file without a name.

    Args:
        file: where all of them are written instead.
    """

    def __init__(self, file: Any = None) -> None:
        self._pieces: list[bytes | tuple[Any, int, int]] = []
        self._file = file
        self.size = 0

    def append(self, data: bytes) -> None:
        self.size += len(data)
        if self._file is None:
            if self.size <= IN_MEMORY:
                self._pieces.append(data)
                return
            self._file = _new_file()
        self._file.seek(0, 2)
        self._pieces.append((self._file, self._file.tell(), len(data)))
        self._file.write(data)

    def extend(self, other: "_Pieces") -> None:
        self._pieces.extend(other._pieces)
        self.size += other.size

    def __len__(self) -> int:
        return len(self._pieces)

    def __iter__(self) -> Iterator[bytes]:
        return map(_read, self._pieces)

    def __getitem__(self, chosen: slice) -> list[bytes]:
        return [_read(piece) for piece in self._pieces[chosen]]


def _new_file() -> Any:
    return tempfile.TemporaryFile()


def _read(piece: bytes | tuple[Any, int, int]) -> bytes:
    if isinstance(piece, bytes):
        return piece
    file, start, length = piece
    file.seek(start)
    return file.read(length)


class _DiskList(ListBuffer):
    def __init__(self, coder_impl: Any) -> None:
        super().__init__(coder_impl)
        self._inputs = _Pieces()

    def copy(self) -> "_DiskList":
        new = _DiskList(self._coder_impl)
        new._inputs.extend(self._inputs)
        return new

    def clear(self) -> None:
        super().clear()
        self._inputs = _Pieces()


class _DiskGroups(GroupingBuffer):
    """Elements with keys: as they came until they are read, then by the hash of their keys."""

    def __init__(self, *coders_and_windowing: Any) -> None:
        super().__init__(*coders_and_windowing)
        self._arrived = _Pieces()
        self._parts: list[_Pieces] = []

    def append(self, elements_data: bytes) -> None:
        self._arrived.append(elements_data)

    def extend(self, input_buffer: Any) -> None:
        if isinstance(input_buffer, _DiskGroups):
            self._arrived.extend(input_buffer._arrived)

    def partition(self, n: int) -> list[Any]:
        if n == 1:
            return [self]
        groups = [group for group in self if group]
        return [groups[first::n] for first in range(n)]

    def __iter__(self) -> Iterator[bytes]:
        if not self._parts:
            self._parts = self._by_key()
        for part in self._parts:
            groups = GroupingBuffer(
                self._pre_grouped_coder, self._post_grouped_coder, self._windowing
            )
            for piece in part:
                groups.append(piece)
            yield from itertools.chain(*groups.partition(1))

    def _by_key(self) -> list[_Pieces]:
        number = -(-self._arrived.size // IN_MEMORY)
        if number <= 1:
            return [self._arrived]
        file = _new_file()
        parts = [_Pieces(file) for _ in range(number)]
        coder, keys = self._pre_grouped_coder.get_impl(), self._key_coder.get_impl()
        for piece in self._arrived:
            chosen: list[list[bytes]] = [[] for _ in parts]
            stream, start = create_InputStream(piece), 0
            while stream.size() > 0:
                key, _ = coder.decode_from_stream(stream, True).value
                end = len(piece) - stream.size()
                chosen[zlib.crc32(keys.encode(key)) % number].append(piece[start:end])
                start = end
            for part, elements in zip(parts, chosen, strict=True):
                if elements:
                    part.append(b"".join(elements))
        self._arrived = _Pieces()
        return parts


class _Output:
    """What a bundle has put out so far: data, and timers as they are."""

    def __init__(self) -> None:
        self._elements: list[Any] = []
        self._data = _Pieces()

    def append(self, element: Any) -> None:
        if not isinstance(element, beam_fn_api_pb2.Elements.Data):
            self._elements.append(element)
            return
        # The message itself would keep its data in memory, even when these are cleared.
        self._data.append(element.data)
        empty = beam_fn_api_pb2.Elements.Data(
            instruction_id=element.instruction_id,
            transform_id=element.transform_id,
            is_last=element.is_last,
        )
        self._elements.append(empty)

    def __iter__(self) -> Iterator[Any]:
        data = iter(self._data)
        for element in self._elements:
            if not isinstance(element, beam_fn_api_pb2.Elements.Data):
                yield element
                continue
            whole = beam_fn_api_pb2.Elements.Data(data=next(data))
            whole.MergeFrom(element)
            yield whole


class _SmallBundles(BundleManager):
    """Hands a step its input in bundles of about IN_MEMORY bytes."""

    def process_bundle(
        self,
        inputs: Mapping[str, Any],
        expected_outputs: Any,
        fired_timers: Any,
        expected_output_timers: Any,
        dry_run: bool = False,
    ) -> tuple[Any, list[Any]]:
        results, splits = [], []
        for bundle in _bundles(inputs):
            for worker in self.bundle_context_manager.worker_handlers:
                if type(worker.data_conn) is InMemoryDataChannel:
                    worker.data_conn._inputs = _Output()
            result, split = super().process_bundle(
                bundle, expected_outputs, fired_timers, expected_output_timers, dry_run
            )
            results.append(result)
            splits += split
            if len(results) == 2:
                results = [_merged(*results)]
        return results[0], splits


def _bundles(inputs: Mapping[str, Iterable[bytes]]) -> Iterator[dict[str, list[bytes]]]:
    bundle: dict[str, list[bytes]] = {name: [] for name in inputs}
    size = 0
    for name, pieces in inputs.items():
        for piece in pieces:
            if size and size + len(piece) > IN_MEMORY:
                yield bundle
                bundle, size = {name: [] for name in inputs}, 0
            bundle[name].append(piece)
            size += len(piece)
    yield bundle


def _merged(one: Any, other: Any) -> Any:
    parts = one.process_bundle, other.process_bundle
    return beam_fn_api_pb2.InstructionResponse(
        process_bundle=beam_fn_api_pb2.ProcessBundleResponse(
            residual_roots=[root for part in parts for root in part.residual_roots],
            monitoring_infos=monitoring_infos.consolidate(
                itertools.chain(*(part.monitoring_infos for part in parts))
            ),
        ),
        error=one.error or other.error,
    )
