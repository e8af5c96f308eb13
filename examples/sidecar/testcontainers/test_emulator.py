"""testcontainers for Python (4.x)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from testcontainers.core.container import DockerContainer
from testcontainers.core.waiting_utils import wait_for_logs


@pytest.fixture(scope="session")
def emulator() -> Iterator[str]:
    container = (
        DockerContainer("ksyun-baidu-emulator")
        .with_exposed_ports(8640)
        .with_env("EMULATOR_ADMIN_TOKEN", "none")
        # Callbacks for localhost reach this process, if it listens on 0.0.0.0.
        .with_env("EMULATOR_CALLBACK_REWRITE", "localhost=host.docker.internal")
        .with_kwargs(extra_hosts={"host.docker.internal": "host-gateway"})
    )
    with container:
        wait_for_logs(container, "emulator ready on", timeout=30)
        yield f"http://{container.get_container_host_ip()}:{container.get_exposed_port(8640)}"


def test_a_wave_task_is_created(emulator: str) -> None:
    task = {
        "Preset": "wave",
        "points": 100,
        "SrcInfo": {"path": "/src-bucket/a.mp3"},
        "DstBucket": "dst-bucket",
        "DstObjectKey": "wave/a.json",
    }
    answer = requests.post(f"{emulator}/?Action=CreateWaveTask&Version=2017-01-01", json=task, timeout=10)

    assert answer.json()["ErrNum"] == 0
