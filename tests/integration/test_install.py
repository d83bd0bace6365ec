"""What `cmake --install` puts where, with DESTDIR, for two prefixes."""

import os
import pathlib
import subprocess

import pytest

BUILD = pathlib.Path(os.environ.get("CRIER", "build/release/crier")).resolve().parent


def install(root, prefix):
    done = subprocess.run(["cmake", "--install", str(BUILD), "--prefix", prefix], capture_output=True, text=True,
                          env={**os.environ, "DESTDIR": str(root)})
    assert done.returncode == 0, done.stdout + done.stderr
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


@pytest.mark.parametrize("prefix", ["/usr", "/usr/local"])
def test_everything_stands_where_the_unit_expects_it(tmp_path, prefix):
    files = install(tmp_path, prefix)
    below = prefix.lstrip("/")
    for name in ("bin/crier", "share/man/man8/crier.8", "lib/systemd/system/crier.service", "lib/sysusers.d/crier.conf",
                 "share/doc/crier/README.md", "share/doc/crier/docs/configuration.md"):
        assert f"{below}/{name}" in files
    assert os.readlink(tmp_path / below / "bin/kubectl-crier") == "crier"
    assert [f for f in files if not f.startswith(below)] == ["etc/crier/crier.yaml"]
    unit = (tmp_path / below / "lib/systemd/system/crier.service").read_text()
    assert f"ExecStart={prefix}/bin/crier run -f /etc/crier/crier.yaml\n" in unit
    assert "@" not in unit.replace("@system-service", "")


def test_a_configuration_that_is_there_is_kept(tmp_path):
    theirs = tmp_path / "etc/crier/crier.yaml"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("# mine\n")
    install(tmp_path, "/usr")
    assert theirs.read_text() == "# mine\n"
    assert not theirs.is_symlink()
