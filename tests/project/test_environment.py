"""`emulator env` and `emulator exec --proxy`: what they print, who can read it, and that it leads to the emulator."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from emulator import environment
from emulator.client import AdminClient
from emulator.core.errors import EmulatorError
from tests.support.process import Serving, run, serving
from tests.support.process import environment as variables_for

OK, FAILED, BAD_CONFIGURATION, NOT_READY = range(4)
ODD = "a b'c\"d$e\\f#g"
"""A name of a folder that every format has to quote in its own way."""
FETCH = """
import urllib.request
print(urllib.request.urlopen("https://kvs.cn-beijing-6.api.ksyun.com/?Action=GetPresetList&Version=2017-01-01").read().decode())
"""
"""A program that knows nothing of an emulator."""


@pytest.fixture(name="server", scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """An emulator started with a port and nothing else."""
    with serving(tmp_path_factory.mktemp("server"), "--port", "0") as server:
        yield server


def shown(server: Serving, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What `emulator env` prints, told to keep certificates in a folder whose name is odd."""
    done = run(folder, "env", "--url", server.url, "--ca-dir", str(folder / ODD), *arguments)
    assert done.returncode == OK, done.stderr
    return done


def from_sh(text: str) -> dict[str, str]:
    """The variables that a shell has after it evaluated ``text``."""
    program = f'eval "$1"; exec {sys.executable} -c "import json, os; print(json.dumps(dict(os.environ)))"'
    done = subprocess.run(["sh", "-euc", program, "sh", text], env={}, capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def from_dotenv(text: str) -> dict[str, str]:
    """Lines NAME=value; a value in single quotes may have quotes and backslashes behind a backslash."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if value.startswith("'"):
            assert value.endswith("'")
            value = value[1:-1].replace("\\'", "'").replace("\\\\", "\\")
        found[name] = value
    return found


def from_compose(text: str) -> dict[str, str]:
    """A service's environment, in which a doubled dollar is one."""
    rows: dict[str, str] = yaml.safe_load(text)["environment"]
    return {name: value.replace("$$", "$") for name, value in rows.items()}


def from_github(text: str) -> dict[str, str]:
    """Lines NAME=value, taken as they are."""
    return dict(line.split("=", 1) for line in text.splitlines())


READERS = {"sh": from_sh, "dotenv": from_dotenv, "compose": from_compose, "github": from_github}


@pytest.mark.parametrize("form", READERS)
def test_each_format_is_understood_by_those_who_read_it(server: Serving, tmp_path: Path, form: str) -> None:
    done = shown(server, tmp_path, "--format", form)

    found = READERS[form](done.stdout)
    assert found["HTTPS_PROXY"] == found["http_proxy"] == found["EMULATOR_URL"] == server.url
    assert found["EMULATOR_KINGSOFT_ENDPOINT"] == found["EMULATOR_BAIDU_ENDPOINT"] == server.url
    assert found["NO_PROXY"] == found["no_proxy"] == "localhost,127.0.0.1,::1"
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "KS_CA_BUNDLE", "AWS_CA_BUNDLE"):
        assert found[name] == str(tmp_path / ODD / "bundle.pem")
    assert found["NODE_EXTRA_CA_CERTS"] == str(tmp_path / ODD / "ca.pem")


@pytest.mark.parametrize("form", READERS)
def test_how_to_use_it_is_said_elsewhere(server: Serving, tmp_path: Path, form: str) -> None:
    done = shown(server, tmp_path, "--format", form)

    assert done.stderr.startswith("# ")
    assert not any(line.lstrip().startswith("#") for line in done.stdout.splitlines())


def test_sh_prints_exports_and_nothing_else(server: Serving, tmp_path: Path) -> None:
    done = run(tmp_path, "env", "--url", server.url, "--ca-dir", "certificates")

    assert all(line.startswith("export ") for line in done.stdout.splitlines())
    assert f"export SSL_CERT_FILE={tmp_path}/certificates/bundle.pem" in done.stdout.splitlines()


def test_a_program_that_knows_nothing_of_it_then_reaches_the_emulator(server: Serving, tmp_path: Path) -> None:
    told = from_sh(shown(server, tmp_path).stdout)

    done = subprocess.run(
        [sys.executable, "-c", FETCH],
        env=variables_for(**told),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ErrNum"] == 0


def test_certificates_are_kept_with_the_users_data_unless_told_otherwise(server: Serving, tmp_path: Path) -> None:
    done = run(tmp_path, "env", "--url", server.url, XDG_DATA_HOME=str(tmp_path / "data"))

    folder = (
        tmp_path / "data" / "kingsoft-baidu-emulator" / "client" / server.url.removeprefix("http://").replace(":", "-")
    )
    assert f"export SSL_CERT_FILE={folder}/bundle.pem\n" in done.stdout
    assert sorted(file.name for file in folder.iterdir()) == ["bundle.pem", "ca.pem"]


def test_the_bundle_has_what_this_machine_trusts_and_does_not_grow(server: Serving, tmp_path: Path) -> None:
    first = from_sh(shown(server, tmp_path).stdout)
    bundle = Path(first["SSL_CERT_FILE"]).read_bytes()

    run(tmp_path, "env", "--url", server.url, "--ca-dir", str(tmp_path / ODD), **first)

    assert Path(first["SSL_CERT_FILE"]).read_bytes() == bundle
    assert bundle.endswith(Path(first["NODE_EXTRA_CA_CERTS"]).read_bytes())
    usual = ssl.get_default_verify_paths()
    if usual.openssl_cafile and Path(usual.openssl_cafile).is_file():
        assert bundle.count(b"BEGIN CERTIFICATE") > 1


def test_a_token_that_it_is_given_is_handed_on(server: Serving, tmp_path: Path) -> None:
    assert from_sh(shown(server, tmp_path, "--token", "s3cret").stdout)["EMULATOR_ADMIN_TOKEN"] == "s3cret"


def test_the_emulators_own_host_is_reached_directly() -> None:
    files = environment.Certificates(Path("a"), Path("b"))

    found = environment.proxied("http://emulator:8640", files)

    assert found["NO_PROXY"] == "localhost,127.0.0.1,::1,emulator"


def test_where_nobody_answers_it_ends_with_code_3_and_one_line(tmp_path: Path) -> None:
    done = run(tmp_path, "env", "--url", "http://127.0.0.1:1")

    assert (done.returncode, done.stdout) == (NOT_READY, "")
    assert done.stderr == "emulator: no answer from http://127.0.0.1:1: [Errno 111] Connection refused\n"


def test_a_folder_that_cannot_be_written_to_ends_it_with_code_2_and_one_line(server: Serving, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run(tmp_path, "env", "--url", server.url, "--ca-dir", "file/folder")

    assert (done.returncode, done.stdout) == (BAD_CONFIGURATION, "")
    assert done.stderr == f"emulator: {tmp_path}/file/folder: Not a directory; choose another folder with --ca-dir\n"


def test_somebody_who_has_no_certificate_is_no_emulator(tmp_path: Path) -> None:
    class Other(AdminClient):
        def raw(self, path: str) -> bytes:
            return b"<html>hello</html>"

    with pytest.raises(EmulatorError) as raised:
        environment.fetch(Other("http://other"), tmp_path)

    assert str(raised.value) == "http://other answers, but has no certificate; is it an emulator?"


def test_exec_can_be_the_proxy_of_its_command(tmp_path: Path) -> None:
    done = run(tmp_path, "exec", "--proxy", "--ca-dir", "authority", "--", sys.executable, "-c", FETCH)

    assert done.returncode == OK, done.stderr
    assert json.loads(done.stdout)["ErrNum"] == 0


def test_exec_is_not_the_proxy_of_its_command_unless_told(tmp_path: Path) -> None:
    program = "import os; print(os.environ['HTTPS_PROXY'], os.environ['SSL_CERT_FILE'])"
    done = run(
        tmp_path, "exec", "--", sys.executable, "-c", program, HTTPS_PROXY="http://mine", SSL_CERT_FILE="own.pem"
    )

    assert done.stdout == "http://mine own.pem\n"
