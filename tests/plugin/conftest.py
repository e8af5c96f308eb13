from __future__ import annotations

import os
from pathlib import Path

import pytest
import trustme  # noqa: F401  a run inside this process forgets what it imported, and this cannot be imported twice

ROOT = Path(__file__).parents[2]
PLUGINS = ("-W", "error", "-p", "emulator.pytest_plugin", "-p", "no:cacheprovider")


@pytest.fixture(autouse=True)
def _as_a_user(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of a user's, in which nothing of this project's is set; the plugin is found as if it were installed."""
    for name in [name for name in os.environ if name.startswith(("EMULATOR_", "PYTEST_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        client="""
        import json
        from urllib.request import Request, urlopen

        def call(emulator, action, document=None, **query):
            key = emulator.kingsoft.credentials["access_key"]
            named = {"X-Amz-Credential": f"{key}/x/x/kvs/x", **query}
            query = "&".join(f"{name}={value}" for name, value in named.items())
            url = f"{emulator.kingsoft.url}/?Action={action}&Version=2017-01-01&{query}"
            body = None if document is None else json.dumps(document).encode()
            with urlopen(Request(url, body, {"Content-Type": "application/json"})) as answer:
                return json.load(answer)

        def make_wave(emulator, **more):
            return call(emulator, "CreateWaveTask", {"Preset": "wave", "SrcInfo": {"path": "/media/a.mp3"},
                        "DstBucket": "media", "DstObjectKey": "a.json", "points": 1000,
                        "CbUrl": emulator.inbox.url, **more})
        """
    )


@pytest.fixture(name="user")
def _user(pytester: pytest.Pytester) -> User:
    return User(pytester)


class User:
    """Writes tests that import ``client``, and runs them in a process of its own or in this one."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester
        self.folder = pytester.path

    def write(self, source: str, **files: str) -> None:
        """The tests, whose accounts verify no signatures; further modules by name."""
        head = "import pytest\nfrom client import call, make_wave\npytestmark = pytest.mark.emulator(auth='off')\n"
        self._pytester.makepyfile(test_it=head + source, **files)

    def run(self, *options: str) -> pytest.RunResult:
        """Run them in this process."""
        return self._pytester.runpytest_inprocess(*PLUGINS, *options)

    def run_apart(self, *options: str) -> pytest.RunResult:
        """Run them as a user does."""
        return self._pytester.runpytest_subprocess(*PLUGINS, *options)
