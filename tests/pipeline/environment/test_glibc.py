from pipeline.environment import glibc


def test_patching_sets_loader_and_libraries_and_keeps_the_former_path(tmp_path):
    patchelf = tmp_path / "patchelf"
    patchelf.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\necho /opt/python/lib\n')
    patchelf.chmod(0o755)
    glibc.patch(tmp_path / "python3.11", tmp_path / "glibc", patchelf)
    libraries = tmp_path / "glibc/usr/lib/x86_64-linux-gnu"
    call = (tmp_path / "calls").read_text().splitlines()[-1]
    assert f"--set-interpreter {libraries}/ld-linux-x86-64.so.2" in call
    assert f"--force-rpath --set-rpath {libraries}:/opt/python/lib " in call
    assert call.endswith(f" {tmp_path / 'python3.11'}")
