"""The documents name everything that exists: what is added without a word in them fails here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emulator.assembly import assemble
from emulator.settings import FIELDS, Settings, flag
from emulator.web.admin.api import routes
from emulator.web.admin.basics import Readiness
from emulator.web.admin.site import PREFIX
from emulator.web.authority import Authority

ROOT = Path(__file__).parents[2]
EMULATION, _ = assemble(Settings(seed=1))
AUTHORITY = Authority(Path("nowhere"), EMULATION.machine, lambda host: False, ())
MODULES = sorted(
    path.relative_to(ROOT / "emulator").as_posix()
    for path in (ROOT / "emulator").rglob("*.py")
    if path.stem not in ("__init__", "__main__")
)


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("module", MODULES)
def test_the_architecture_page_names_each_module(module: str) -> None:
    assert f"`{module}`" in read("ARCHITECTURE.md")


@pytest.mark.parametrize("name", FIELDS)
def test_the_settings_page_names_each_flag(name: str) -> None:
    assert f"`{flag(name)}`" in read("docs/settings.md")


def test_the_admin_page_names_each_route() -> None:
    page = read("docs/admin.md")
    paths = [route.path for route in routes(EMULATION, Readiness(), AUTHORITY)]

    missing = [path for path in paths if _shortened(path) not in page]

    assert missing == []


def _shortened(path: str) -> str:
    """The route as the page writes it."""
    return (
        (PREFIX + path if not path.startswith("/api/accounts/") else path)
        .replace("/api/accounts/{account}/", "…/{a}/")
        .replace("/api/accounts/{account}", "…/accounts/{a}")
        .replace("{rule}", "{id}")
        .replace("{task}", "{id}")
    )


@pytest.mark.parametrize("cloud", ["kingsoft", "baidu"])
def test_the_page_of_each_cloud_names_its_operations(cloud: str) -> None:
    page = read(f"docs/{cloud}.md")

    assert [row.name for row in EMULATION.providers[cloud].operations if f"`{row.name}`" not in page] == []


def test_every_link_between_the_documents_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "benchmarks").glob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8"))]

    assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []


def test_the_readme_states_the_default_port() -> None:
    assert f"http://127.0.0.1:{Settings().port}" in read("README.md")
