"""The vendors' SDKs, with their hosts as they are built in: through the proxy, and over TLS where the names lead here.

Each runs in a process of its own. For TLS its resolver leads every name to the emulator, as /etc/hosts or a container's
network alias does; of the SDK nothing is changed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from emulator import environment
from emulator.client import AdminClient
from emulator.server import ThreadedServer
from emulator.settings import Settings
from tests.clients.test_baidu_node import FOLDER, _missing
from tests.support.client import TRAIN_TICKET
from tests.support.machine import START
from tests.support.pictures import encoded
from tests.support.process import ROOT
from tests.support.remote import Remote

NUMBERS = count(1)
NO_KSC = "ksc-sdk-python needs the module cgi, which Python has had up to 3.12"
TICKET = json.loads((ROOT / "tests" / "data" / "baidu-train-ticket.json").read_text("utf-8"))
Way = Callable[[], dict[str, str]]

LED_HERE = """
import os, socket
_ports, _getaddrinfo = dict(zip((80, 443), map(int, os.environ["LED_TO"].split()))), socket.getaddrinfo
def getaddrinfo(host, port, *arguments, **options):
    return _getaddrinfo("127.0.0.1", _ports.get(port, port), *arguments, **options)
socket.getaddrinfo = getaddrinfo
"""
"""``sitecustomize.py``: every name is this machine, and its ports 80 and 443 are the emulator's."""
LED_HERE_NODE = """
const net = require('net'), connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...given) {
  const options = Array.isArray(given[0]) ? given[0][0] : given[0];
  const port = process.env.LED_TO.split(' ')[[80, 443].indexOf(Number(options.port))];
  if (port) Object.assign(options, { host: '127.0.0.1', port: Number(port) });
  return connect.apply(this, given);
};
"""
"""The same for Node."""

BAIDU = """
import base64, json, os, sys
from aip import AipOcr
client = AipOcr("app", os.environ["KEY"], os.environ["SECRET"])
picture = base64.b64decode(sys.stdin.read())
print(json.dumps([
    client.custom(picture, {"templateSign": sys.argv[1]}),
    client.custom_finance(picture, {"templateSign": "taxi_receipt"}),
]))
"""
BAIDU_NODE = """
const { ocr: AipOcr } = require('baidu-aip-sdk');
const client = new AipOcr('app', process.env.KEY, process.env.SECRET);
const picture = require('fs').readFileSync(0, 'latin1');
client.custom(picture, process.argv[1]).then(
  answer => process.stdout.write(JSON.stringify(answer)), error => { throw error; });
"""
KSC = """
import json, os, sys
from kscore.kvs import getKvsClient
client = getKvsClient("kvs", "cn-beijing-6", use_ssl=sys.argv[1] == "tls",
                      ks_access_key_id=os.environ["KEY"], ks_secret_access_key=os.environ["SECRET"])
created = client.CreateTask({
    "Preset": "hd_mp4", "SrcInfo": [{"path": "/src-bucket/a.mp4", "index": 0, "type": "video"}],
    "DstBucket": "dst-bucket", "DstObjectKey": "a.mp4",
})
print(json.dumps([created, client.GetTaskByTaskID(created["TaskID"])]))
"""
KINGSOFT = """
import json, os
from ksyun.common.common_client import CommonClient
from ksyun.common.credential import Credential
from ksyun.common.profile.client_profile import ClientProfile
from ksyun.common.profile.http_profile import HttpProfile
key = Credential(os.environ["KEY"], os.environ["SECRET"])
http = HttpProfile(proxy=os.environ.get("PROXY"), certification=os.environ["CERTIFICATION"])
client = CommonClient("kvs", "2017-01-01", key, "cn-beijing-6", profile=ClientProfile(httpProfile=http))
created = json.loads(client.call_json("CreateWaveTask", {
    "Preset": "wave", "SrcInfo": {"path": "/src-bucket/a.mp3"}, "DstBucket": "dst-bucket", "DstObjectKey": "a.json",
    "points": 100,
}))
print(json.dumps([created, json.loads(client.call("GetTaskByTaskID", {"TaskID": created["TaskID"]}))]))
"""


@pytest.fixture(name="server", scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadedServer]:
    """An emulator that refuses whatever is not rightly signed."""
    folder = str(tmp_path_factory.mktemp("authority"))
    with ThreadedServer(Settings(port=0, tls_port=0, seed=7, auth="strict", ca_dir=folder)) as server:
        yield server


@pytest.fixture(name="remote")
def _remote(server: ThreadedServer) -> Iterator[Remote]:
    """An account of its own for each test."""
    remote = Remote(server.url, f"AKUNMODIFIED{next(NUMBERS)}", START)
    yield remote
    remote.close()


@pytest.fixture(name="certificates", scope="module")
def _certificates(server: ThreadedServer, tmp_path_factory: pytest.TempPathFactory) -> environment.Certificates:
    """The files that `emulator env` writes."""
    return environment.fetch(AdminClient(server.url), tmp_path_factory.mktemp("client"))


@pytest.fixture(name="way", params=["proxy", "tls"])
def _way(
    request: pytest.FixtureRequest, server: ThreadedServer, certificates: environment.Certificates, tmp_path: Path
) -> Way:
    """The variables of a process that comes to the emulator that way."""
    variables = environment.proxied(server.url, certificates)

    def through_the_proxy() -> dict[str, str]:
        return {**variables, "PROXY": server.url}

    def by_tls() -> dict[str, str]:
        (tmp_path / "sitecustomize.py").write_text(LED_HERE)
        (tmp_path / "led_here.js").write_text(LED_HERE_NODE)
        kept = {name: value for name, value in variables.items() if not name.upper().endswith("_PROXY")}
        told = {"PYTHONPATH": str(tmp_path), "NODE_OPTIONS": f"--require {tmp_path / 'led_here.js'}"}
        return {**kept, **told, "LED_TO": f"{server.server.port} {server.server.tls_port}"}

    return through_the_proxy if request.param == "proxy" else by_tls


def result(
    remote: Remote, command: list[str], variables: Mapping[str, str], given: str = "", folder: Path | None = None
) -> Any:
    """What a program printed, as JSON; it knows the account's keys."""
    own = {"KEY": remote.name, "SECRET": remote.secret, "CERTIFICATION": variables["NODE_EXTRA_CA_CERTS"]}
    unset = {"http_proxy", "https_proxy", "all_proxy", "no_proxy", "pythonpath", "node_options"}
    inherited = {name: value for name, value in os.environ.items() if name.lower() not in unset}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**inherited, **own, **variables},
        input=given,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def came(remote: Remote) -> list[tuple[str, str]]:
    """What was called in this account, and as which host."""
    return [(entry["operation"], entry["host"]) for entry in remote.journal()]


def python(program: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", program, *arguments]


def test_baidu_aip_reads_a_picture(way: Way, remote: Remote) -> None:
    custom, finance = result(remote, python(BAIDU, TRAIN_TICKET), way(), encoded())

    assert custom == TICKET
    assert finance["error_code"] == 0
    assert came(remote) == [
        ("baidu.oauth.token", "aip.baidubce.com"),
        ("baidu.iocr.recognise", "aip.baidubce.com"),
        ("baidu.iocr.finance", "aip.baidubce.com"),
    ]


def test_baidu_aip_sdk_for_node_reads_a_picture(way: Way, remote: Remote) -> None:
    if _missing():
        pytest.skip(_missing())

    found = result(remote, ["node", "-e", BAIDU_NODE, TRAIN_TICKET], way(), encoded(), FOLDER)

    assert found == TICKET
    assert {host for _, host in came(remote)} == {"aip.baidubce.com"}


@pytest.mark.skipif(
    importlib.util.find_spec("kscore") is None,
    reason=NO_KSC,
)
@pytest.mark.parametrize("scheme", ["plain", "tls"])
def test_the_helper_of_ksc_sdk_python_creates_a_task(way: Way, scheme: str, remote: Remote) -> None:
    created, shown = result(remote, python(KSC, scheme), way())

    assert created["ErrNum"] == 0
    assert shown["TaskInfo"]["TaskID"] == created["TaskID"]
    assert {host for _, host in came(remote)} == {"kvs.api.ksyun.com"}


@pytest.mark.parametrize("told", ["by its option", "by the environment"])
def test_kingsoftcloud_sdk_python_creates_a_task(way: Way, told: str, remote: Remote) -> None:
    variables = way()
    if told == "by the environment":
        variables.pop("PROXY", None)
    else:
        variables = {name: value for name, value in variables.items() if not name.upper().endswith("S_PROXY")}

    created, shown = result(remote, python(KINGSOFT), variables)

    assert created["ErrNum"] == 0
    assert shown["TaskInfo"]["TaskID"] == created["TaskID"]
    assert {host for _, host in came(remote)} == {"kvs.api.ksyun.com"}


@pytest.mark.skipif(importlib.util.find_spec("kscore") is None, reason=NO_KSC)
@pytest.mark.parametrize("name", ["KS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_ksc_sdk_python_trusts_by_either_variable_alone(
    server: ThreadedServer, certificates: environment.Certificates, remote: Remote, name: str
) -> None:
    proxied = environment.proxied(server.url, certificates)
    others = {other: "" for other in proxied if other.endswith(("_BUNDLE", "_FILE")) and other != name}

    created, _ = result(remote, python(KSC, "tls"), {**proxied, **others})

    assert created["ErrNum"] == 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_curl_signs_by_itself_for_a_vendors_host(
    server: ThreadedServer, certificates: environment.Certificates, remote: Remote
) -> None:
    call = "https://kvs.cn-beijing-6.api.ksyun.com/?Action=CreateWaveTask&Version=2017-01-01"
    body = {"Preset": "wave", "SrcInfo": {"path": "/src-bucket/a.mp3"}, "DstBucket": "dst-bucket"}
    command = ["curl", "-sS", "--aws-sigv4", "aws:amz:cn-beijing-6:kvs", "--user", f"{remote.name}:{remote.secret}"]
    command += ["-H", "Content-Type: application/json", "-d", json.dumps({**body, "DstObjectKey": "a", "points": 99})]

    proxied = {**environment.proxied(server.url, certificates), "SSL_CERT_FILE": "", "SSL_CERT_DIR": ""}
    straight = {name: value for name, value in proxied.items() if not name.upper().endswith("_PROXY")}
    led = ["--connect-to", f"::127.0.0.1:{server.server.tls_port}"]

    assert result(remote, [*command, call], proxied)["ErrNum"] == 0
    assert result(remote, [*command, *led, call], straight)["ErrNum"] == 0
    assert all(
        {"step": "authenticate", "found": "the signature is right"} in entry["trace"] for entry in remote.journal()
    )


def test_a_program_that_wants_another_host_is_told_why_it_cannot_have_it(
    server: ThreadedServer, certificates: environment.Certificates, remote: Remote
) -> None:
    program = """
import json, urllib.request
try:
    urllib.request.urlopen("https://example.com/")
except OSError as error:
    print(json.dumps(str(error)))
"""
    found = result(remote, python(program), environment.proxied(server.url, certificates))

    assert "403 Forbidden: the emulator does not serve example.com" in found
