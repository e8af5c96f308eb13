"""What is shipped: complete, and at work wherever it is put."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from emulator import __version__
from tests.support.process import ROOT, environment

NAME = f"ksyun_baidu_emulator-{__version__}"
DATA = [
    f"{kind}/{file.relative_to(ROOT / kind).as_posix()}"
    for kind in ("schemas", "fixtures")
    for file in sorted((ROOT / kind).rglob("*"))
    if file.is_file()
]


def _built(source: Path, target: Path, *options: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(target), *options],
        cwd=source,
        env=environment(""),
        capture_output=True,
        check=True,
        timeout=120,
    )


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and an sdist built from this checkout."""
    folder = tmp_path_factory.mktemp("built")
    _built(ROOT, folder)
    return folder


@pytest.fixture(name="wheel")
def _wheel(folder: Path) -> Path:
    return folder / f"{NAME}-py3-none-any.whl"


@pytest.fixture(name="sdist")
def _sdist(folder: Path) -> Path:
    return folder / f"{NAME}.tar.gz"


def _names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def _python(place: Path, folder: Path, *arguments: str) -> str:
    """What Python prints that finds the package at ``place`` and nowhere else."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(place),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_wheel_and_an_sdist_are_built(folder: Path) -> None:
    assert sorted(entry.name for entry in folder.iterdir() if entry.name != ".gitignore") == [
        f"{NAME}-py3-none-any.whl",
        f"{NAME}.tar.gz",
    ]


def test_a_wheel_has_the_package_and_its_description_and_nothing_else(wheel: Path) -> None:
    assert {name.partition("/")[0] for name in _names(wheel)} == {"emulator", f"{NAME}.dist-info"}


def test_a_wheel_has_every_module(wheel: Path) -> None:
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "emulator").rglob("*.py")}

    assert {name for name in _names(wheel) if name.endswith(".py")} == modules


def test_a_wheel_has_every_file_of_the_console(wheel: Path) -> None:
    static = ROOT / "emulator" / "web" / "static"
    files = {path.relative_to(ROOT).as_posix() for path in static.rglob("*") if path.is_file()}

    assert files - set(_names(wheel)) == set()


def test_a_wheel_says_that_it_is_typed(wheel: Path) -> None:
    assert "emulator/py.typed" in _names(wheel)


def test_a_wheel_has_every_data_file_inside_the_package(wheel: Path) -> None:
    inside = [name.removeprefix("emulator/_data/") for name in _names(wheel) if name.startswith("emulator/_data/")]

    assert sorted(inside) == sorted(DATA)


def test_a_wheel_has_the_data_files_as_they_are(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        changed = [name for name in DATA if archive.read(f"emulator/_data/{name}") != (ROOT / name).read_bytes()]

    assert changed == []


def test_a_wheel_has_the_licence_and_the_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        command = archive.read(f"{NAME}.dist-info/entry_points.txt").decode()

    assert f"{NAME}.dist-info/licenses/LICENSE" in _names(wheel)
    assert "emulator = emulator.cli:main" in command.splitlines()


def test_an_sdist_has_everything_that_a_build_and_the_tests_need(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.split("/")[1] for name in archive.getnames()}

    wanted = {"emulator", "schemas", "fixtures", "tests", "docs", "pyproject.toml", "README.md", "LICENSE", "PKG-INFO"}
    assert wanted - names == set()


def test_an_sdist_has_nothing_hidden(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        hidden = {name for name in archive.getnames() if any(part.startswith(".") for part in name.split("/"))}

    assert hidden <= {f"{NAME}/.gitignore"}


def test_a_wheel_that_is_built_from_the_sdist_is_the_same(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    _built(tmp_path / NAME, tmp_path / "again", "-t", "wheel")

    assert sorted(_names(tmp_path / "again" / wheel.name)) == sorted(_names(wheel))


def test_the_package_works_from_within_the_wheel(wheel: Path, tmp_path: Path) -> None:
    found = _python(wheel, tmp_path, "-c", "import emulator; print(emulator.__file__)")

    assert found.strip() == f"{wheel}/emulator/__init__.py"
    assert _python(wheel, tmp_path, "-m", "emulator", "check").endswith(" fixtures are in order\n")


def test_the_package_works_where_the_wheel_was_unpacked(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)

    found = _python(place, tmp_path, "-c", "import emulator; print(emulator.__file__)")

    assert found.strip() == f"{place}/emulator/__init__.py"
    assert _python(place, tmp_path, "-m", "emulator", "check").endswith(" fixtures are in order\n")


def test_the_same_files_are_found_in_the_wheel_and_in_the_checkout(wheel: Path, tmp_path: Path) -> None:
    code = "from emulator.core.resources import load; print(*sorted(load('schemas')), *sorted(load('fixtures')))"

    assert _python(wheel, tmp_path, "-c", code) == _python(ROOT, tmp_path, "-c", code)
