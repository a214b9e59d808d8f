"""Reads the state file of a PyTorch model without PyTorch, and without running what is in it.

The format is the one before PyTorch 1.6 (``torch.serialization._legacy_save``): a pickle each of a
magic number, the protocol's version, the writer's machine and the state, whose tensors refer to
storages by key; then a pickle of the keys, and for each the count and the values of its storage.
"""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from trainer_module.models import WeightsError

_MAGIC: Final = 0x1950A86A20F9469CFC6C
_PROTOCOL: Final = 1001

_STORAGES: Final = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def read(path: Path) -> dict[str, np.ndarray]:
    """Reads the tensors of a state file.

    Args:
        path: a file that ``torch.save(model.state_dict(), path)`` of PyTorch before 1.6 wrote.

    Returns:
        By name, float32 or int64.

    Raises:
        WeightsError: there is no such file, or it is not such a state.
    """
    try:
        with path.open("rb") as file:
            return _read(file, limit=path.stat().st_size)
    except OSError as error:
        raise WeightsError(f"cannot read the weights {path}: {error.strerror}.") from error
    # What is not a pickle fails in any way.
    except Exception as error:
        raise WeightsError(
            f"{path} is not a PyTorch state file of the format before 1.6"
            f" ({type(error).__name__}: {error})."
        ) from error


def _read(file: BinaryIO, limit: int) -> dict[str, np.ndarray]:
    magic, protocol, machine = (_Unpickler(file, limit).load() for _ in range(3))
    if (magic, protocol) != (_MAGIC, _PROTOCOL) or not machine["little_endian"]:
        raise pickle.UnpicklingError("another format")
    state = _Unpickler(file, limit)
    tensors = state.load()
    for key in _Unpickler(file, limit).load():
        storage = state.storages[key]
        if int.from_bytes(file.read(8), "little") != storage.size:
            raise pickle.UnpicklingError("a storage of another size")
        # The tensors are views of it.
        storage[:] = np.frombuffer(file.read(storage.nbytes), storage.dtype)
    return dict(tensors)


class _Unpickler(pickle.Unpickler):
    """Knows tensors, their storages and the dictionary that they are in, and nothing else."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        super().__init__(file)
        self.storages: dict[str, np.ndarray] = {}
        self._limit = limit

    def find_class(self, module: str, name: str) -> Any:
        match module, name:
            case "collections", "OrderedDict":
                return OrderedDict
            case "torch._utils", "_rebuild_tensor_v2":
                return _tensor
            case "torch", name if name in _STORAGES:
                return _STORAGES[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a state file")

    def persistent_load(self, reference: tuple[Any, ...]) -> np.ndarray:
        kind, dtype, key, _, size, _ = reference
        if kind != "storage" or not 0 <= size * dtype.itemsize <= self._limit:
            raise pickle.UnpicklingError("a reference to something other than a storage")
        return self.storages.setdefault(key, np.zeros(size, dtype))


def _tensor(
    storage: np.ndarray, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
) -> np.ndarray:
    last = offset + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
    if min((offset, *shape, *strides)) < 0 or last >= storage.size:
        raise pickle.UnpicklingError("a tensor that reaches beyond its storage")
    steps = [step * storage.itemsize for step in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps, writeable=False)
