"""The certificate authority: kept, shared, and believed by strict clients."""

from __future__ import annotations

import os
import shutil
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from emulator.core.errors import ConfigurationError
from emulator.server import Server, ThreadedServer
from emulator.settings import Settings, data_folder
from emulator.web.authority import KEPT, MOST_NAMES, Authority
from emulator.web.hosts import Hosts
from tests.support.machine import FakeMachine
from tests.support.process import environment

VENDORS = ("aip.baidubce.com", "kvs.api.ksyun.com", "kvs.*.api.ksyun.com")
TODAY = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(name="machine")
def _machine() -> FakeMachine:
    return FakeMachine()


def authority(folder: Path, machine: FakeMachine, *names: str) -> Authority:
    """The authority kept in ``folder``, for the vendors' hosts and ``names``."""
    hosts = Hosts(VENDORS, names)
    return Authority(folder, machine, hosts.serves, (*hosts.fixed, *names))


def trusting(made: Authority) -> ssl.SSLContext:
    """A client's context as strict as OpenSSL can be."""
    context = ssl.create_default_context(cadata=made.certificate.decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def shown(made: Authority, name: str | None, client: ssl.SSLContext | None = None) -> x509.Certificate:
    """The certificate that a client is shown which wants to reach ``name``; verified if the client does that."""
    if client is None:
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname = False
        client.verify_mode = ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname=name)
    far = made.context().wrap_bio(to_server, to_client, server_side=True)
    for side in (near, far, near, far):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    certificate = near.getpeercert(binary_form=True)
    assert certificate is not None
    return x509.load_der_x509_certificate(certificate)


def names(certificate: x509.Certificate) -> list[str]:
    """The names on a certificate."""
    return [
        str(name.value) for name in certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    ]


# Kept


def test_the_authority_is_kept_in_a_file_for_its_owner_only(tmp_path: Path, machine: FakeMachine) -> None:
    first = authority(tmp_path / "deep" / "er", machine).certificate

    kept = tmp_path / "deep" / "er" / KEPT
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [file.name for file in kept.parent.iterdir()] == [KEPT]
    assert authority(kept.parent, machine).certificate == first


def test_nothing_is_made_before_it_is_asked_for(tmp_path: Path, machine: FakeMachine) -> None:
    authority(tmp_path / "folder", machine)

    assert list(tmp_path.iterdir()) == []


def test_a_server_that_starts_makes_no_certificate_and_loads_nothing_for_it(tmp_path: Path) -> None:
    program = (
        "import sys; from emulator.server import ThreadedServer; from emulator.settings import Settings\n"
        f"with ThreadedServer(Settings(port=0, ca_dir={str(tmp_path / 'ca')!r})): pass\n"
        "print(sorted({'trustme', 'cryptography'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout == "[]\n"
    assert not (tmp_path / "ca").exists()


def test_of_many_that_start_at_once_all_have_the_same_authority(tmp_path: Path, machine: FakeMachine) -> None:
    together = threading.Barrier(8)

    def start() -> bytes:
        one = authority(tmp_path, machine)
        together.wait(30)
        return one.certificate

    with ThreadPoolExecutor(8) as threads:
        found = {running.result() for running in [threads.submit(start) for _ in range(8)]}

    assert len(found) == 1
    assert [file.name for file in tmp_path.iterdir()] == [KEPT]


def test_two_threads_of_one_emulator_have_the_same_authority_where_none_can_be_kept(machine: FakeMachine) -> None:
    one, together = authority(Path(os.devnull), machine), threading.Barrier(8)

    def ask() -> bytes:
        together.wait(30)
        return one.certificate

    with ThreadPoolExecutor(8) as threads:
        assert len({running.result() for running in [threads.submit(ask) for _ in range(8)]}) == 1


def test_where_none_can_be_kept_there_is_one_and_the_log_says_so(
    machine: FakeMachine, caplog: pytest.LogCaptureFixture
) -> None:
    one = authority(Path(os.devnull) / "folder", machine)

    assert one.certificate == one.certificate
    assert "the certificate authority is not kept, it ends with this process" in caplog.text


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN CERTIFICATE-----\n", b"\xff\xfe"], ids=["empty", "cut off", "bytes"]
)
def test_a_broken_file_is_left_as_it_is_and_named_in_the_log(
    tmp_path: Path, machine: FakeMachine, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    (tmp_path / KEPT).write_bytes(content)

    one = authority(tmp_path, machine)

    assert "aip.baidubce.com" in names(shown(one, None))
    assert (tmp_path / KEPT).read_bytes() == content
    assert f"{tmp_path / KEPT}: " in caplog.text


def test_a_user_without_a_home_has_an_authority_that_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "home", _no_home)

    assert data_folder().parent == Path(os.devnull)


def _no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


# Believed


@pytest.mark.parametrize(
    "name", ["aip.baidubce.com", "kvs.api.ksyun.com", "kvs.cn-beijing-6.api.ksyun.com", "localhost", "127.0.0.1", "::1"]
)
def test_a_strict_client_believes_the_certificate_of_each_name(tmp_path: Path, name: str) -> None:
    machine = FakeMachine(datetime.now(UTC).timestamp())
    one = authority(tmp_path, machine)

    shown(one, name, trusting(one))


def test_the_certificate_of_a_vendors_host_is_for_that_host(tmp_path: Path, machine: FakeMachine) -> None:
    one = authority(tmp_path, machine)

    assert names(shown(one, "kvs.cn-beijing-6.api.ksyun.com")) == ["kvs.cn-beijing-6.api.ksyun.com"]
    assert names(shown(one, "KVS.cn-SHANGHAI-2.api.ksyun.com")) == ["kvs.cn-shanghai-2.api.ksyun.com"]


@pytest.mark.parametrize("name", [None, "localhost", "example.com", "aip.baidubce.com", "kvs._.api.ksyun.com"])
def test_a_client_that_names_no_host_or_a_strange_one_is_shown_the_usual_names(
    tmp_path: Path, machine: FakeMachine, name: str | None
) -> None:
    found = names(shown(authority(tmp_path, machine, "emulator.test"), name))

    assert found == ["localhost", "127.0.0.1", "::1", "aip.baidubce.com", "kvs.api.ksyun.com", "emulator.test"]


def test_a_certificate_holds_from_yesterday_for_little_more_than_a_year(tmp_path: Path, machine: FakeMachine) -> None:
    found = shown(authority(tmp_path, machine), None)

    assert (found.not_valid_before_utc - TODAY).days == -1
    assert (found.not_valid_after_utc - found.not_valid_before_utc).days == 397


def test_a_certificate_is_made_again_before_it_runs_out(tmp_path: Path, machine: FakeMachine) -> None:
    one = authority(tmp_path, machine)
    first = shown(one, "kvs.a.api.ksyun.com")
    machine.move(300 * 86400)

    second = shown(one, "kvs.a.api.ksyun.com")

    assert second.not_valid_after_utc > first.not_valid_after_utc


def test_a_certificate_is_made_once_for_many_clients(tmp_path: Path, machine: FakeMachine) -> None:
    one = authority(tmp_path, machine)

    assert shown(one, "kvs.a.api.ksyun.com") == shown(one, "kvs.a.api.ksyun.com")


def test_names_without_end_are_not_all_remembered(tmp_path: Path, machine: FakeMachine) -> None:
    one = authority(tmp_path, machine)
    usual = shown(one, None)
    for number in range(MOST_NAMES + 5):
        shown(one, f"kvs.r{number}.api.ksyun.com")

    assert len(one._contexts) <= MOST_NAMES + 1
    assert shown(one, None) == usual


# Names


@pytest.mark.parametrize("name", ["kvs_emulator", "a b", "-a.test", "a..b", "a" * 64, "*.test", ""])
def test_a_name_that_no_certificate_can_have_stops_the_start(name: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Server(Settings(port=0, tls_name=(name,)))

    assert str(raised.value.problems[0]).startswith(f"--tls-name: {name!r} is neither a host name")


@pytest.mark.parametrize(
    ("host", "served"),
    [
        ("aip.baidubce.com", True),
        ("kvs.cn-beijing-6.api.ksyun.com", True),
        ("localhost", True),
        ("emulator.localhost", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("mine.test", True),
        ("example.com", False),
        ("baidubce.com", False),
        ("aip.baidubce.com.example.com", False),
        ("evil-aip.baidubce.com", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_a_host_is_served_if_it_is_a_vendors_this_machine_or_named(host: str, served: bool) -> None:
    assert Hosts(VENDORS, ["Mine.test"]).serves(host) is served


# Clients


@pytest.fixture(name="served", scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ThreadedServer, Path]]:
    """An emulator, and a file with its authority's certificate."""
    folder = tmp_path_factory.mktemp("authority")
    with ThreadedServer(Settings(port=0, tls_port=0, seed=7, ca_dir=str(folder))) as server:
        file = folder / "ca.pem"
        file.write_bytes(server.server.authority.certificate)
        yield server, file


FETCH = """
const https = require('https');
https.get(process.argv[1], answer => answer.pipe(process.stdout)).on('error', error => { throw error; });
"""


@pytest.mark.parametrize("program", ["python", "curl", "node"])
def test_programs_that_are_given_the_certificate_believe_in_it(
    served: tuple[ThreadedServer, Path], program: str
) -> None:
    server, file = served
    urls = [f"https://localhost:{port}/_emulator/livez" for port in (server.server.port, server.server.tls_port)]
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} here")

    for url in urls:
        fetch = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"
        command = {
            "python": [sys.executable, "-c", fetch, url],
            "curl": ["curl", "-sS", "--cacert", str(file), url],
            "node": ["node", "-e", FETCH, url],
        }[program]
        told = {"SSL_CERT_FILE": str(file), "NODE_EXTRA_CA_CERTS": str(file), "NO_PROXY": "*", "no_proxy": "*"}
        done = subprocess.run(command, env=environment(**told), capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout.strip() == '{"status":"alive"}', done.stderr
