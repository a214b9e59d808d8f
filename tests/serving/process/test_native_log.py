import os

import pytest

from serving.process import native_log
from serving.process.native_log import is_notice, quieted

NOTICES = (
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n",
    b"I0000 00:00:1796000666.316751   29290 port.cc:153] oneDNN custom operations are on.\n",
    b"W0000 00:00:1796000666.316751   29290 gpu_device.cc:2342] Cannot dlopen some libraries.\n",
    b"2026-11-30 01:04:21.630123: I tensorflow/core/platform/cpu_feature_guard.cc:210] This\n",
)
CUDA = (
    b"E0000 00:00:1796000638.263774   28758 cuda_platform.cc:52] failed call to cuInit: 303\n",
    b"2026-11-30 01:04:21.6: E external/local_xla/xla/stream_executor/cuda/cuda_fft.cc:477] x\n",
)
ERRORS = (
    b"E0000 00:00:1796000638.263774   28758 loader.cc:52] the file is damaged\n",
    b"F0000 00:00:1796000638.263774   28758 cuda_platform.cc:52] Check failed\n",
    b"OSError: no space left\n",
)


@pytest.mark.parametrize("line", NOTICES)
def test_a_notice_is_dropped(line):
    assert is_notice(line, has_driver=True)


@pytest.mark.parametrize("line", CUDA)
def test_an_error_of_cuda_matters_only_where_there_is_a_driver(line):
    assert is_notice(line, has_driver=False)
    assert not is_notice(line, has_driver=True)


@pytest.mark.parametrize("line", ERRORS)
def test_an_error_is_kept(line):
    assert not is_notice(line, has_driver=False)


def test_errors_appear_at_the_end_of_the_block(capfd, monkeypatch, tmp_path):
    monkeypatch.setattr(native_log, "_DRIVER", tmp_path / "absent")

    def fail():
        with quieted():
            for line in (*NOTICES, *CUDA, ERRORS[0]):
                os.write(2, line)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert capfd.readouterr().err.encode() == ERRORS[0]
