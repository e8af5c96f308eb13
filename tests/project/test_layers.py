"""Imports point one way only.

    __main__ → cli, pytest_plugin → testing → gate → server, probe → hooks → environment → client → assembly → settings
        → {kingsoft | baidu | web} → core

Those that stand side by side never see each other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "emulator"
LAYERS = (
    ("__main__",),
    ("cli", "pytest_plugin"),
    ("testing",),
    ("gate",),
    ("server", "probe"),
    ("hooks",),
    ("environment",),
    ("client",),
    ("assembly",),
    ("settings",),
    ("kingsoft", "baidu", "web"),
    ("core",),
)
DEPTH = {unit: depth for depth, layer in enumerate(LAYERS) for unit in layer}
NARROWER = {
    "pytest_plugin": {"testing", "environment", "core"},
    "testing": {"environment", "server", "client", "settings", "core"},
    "probe": {"core", "settings"},
    "client": {"core", "settings"},
    "gate": {"client", "core"},
    "hooks": {"environment", "client", "web", "core"},
    "environment": {"client", "core"},
}
"""Units that see less than their layer would let them."""
HTTP = {"web", "server"}
"""Units that may know the HTTP library."""
CLOUDS = ("kingsoft", "baidu", "ksyun", "baidubce")
MODULES = sorted(PACKAGE.rglob("*.py"))


def _unit(module: Path) -> str:
    """The part of the package that a module belongs to: a folder or a file directly below it."""
    first = module.parts[0]
    return first.removesuffix(".py")


def _imported(tree: ast.AST) -> Iterator[str]:
    """The full names of everything imported, however deep inside, for type checking too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield "." * node.level + (node.module or "")
            elif node.module == "emulator":
                yield from (f"emulator.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


def _faults(module: Path, source: str) -> list[str]:
    """What is wrong with the imports of ``module``, a path below the package."""
    unit = _unit(module)
    if unit == "__init__":
        return [f"{module} imports {name}" for name in _imported(ast.parse(source)) if name != "__future__"]
    if unit not in DEPTH:
        return [f"{module} stands in no layer"]
    found = []
    for name in _imported(ast.parse(source)):
        root, _, rest = name.partition(".")
        target = rest.partition(".")[0]
        if not root:
            found.append(f"{module} imports {name}: write the full name")
        elif root in ("aiohttp", "multidict") and unit not in HTTP:
            found.append(f"{module} imports {name}: only {' and '.join(sorted(HTTP))} may")
        elif root == "emulator" and target not in ("", "__version__", unit):
            deeper = DEPTH.get(target, -1) > DEPTH[unit]
            if not deeper or target not in NARROWER.get(unit, DEPTH):
                found.append(f"{module} imports {name}: {unit} may not see {target}")
    return found


def _said(source: str) -> Iterator[str]:
    """Every text and name in a module except what people alone read."""
    tree = ast.parse(source)
    remarks = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str() as text) if id(node) not in remarks:
                yield text
            case ast.Constant(value=bytes() as content):
                yield content.decode("latin-1")
            case ast.Name(id=name) | ast.arg(arg=name) | ast.Attribute(attr=name) | ast.keyword(arg=str() as name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name):
                yield name


def _clouds_named(source: str) -> list[str]:
    return [text for text in _said(source) if any(cloud in text.lower() for cloud in CLOUDS)]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_what_lies_below_it(module: Path) -> None:
    assert _faults(module.relative_to(PACKAGE), module.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "module", sorted((PACKAGE / "core").glob("*.py")), ids=lambda module: module.relative_to(PACKAGE).as_posix()
)
def test_core_names_no_cloud(module: Path) -> None:
    assert _clouds_named(module.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("core/x.py", "from emulator.web.sender import HttpSender"),
        ("core/x.py", "import emulator.settings"),
        ("core/x.py", "from emulator import kingsoft"),
        ("core/x.py", "def f():\n    from emulator.baidu import tokens"),
        ("core/x.py", "if TYPE_CHECKING:\n    from emulator.server import Server"),
        ("core/x.py", "import aiohttp"),
        ("core/x.py", "from . import clock"),
        ("kingsoft/x.py", "from emulator.baidu.tokens import issue"),
        ("kingsoft/handlers/x.py", "from emulator.web import admin"),
        ("web/x.py", "from emulator.kingsoft.provider import Kingsoft"),
        ("web/x.py", "from emulator.settings import Settings"),
        ("baidu/x.py", "from aiohttp import web"),
        ("settings.py", "from emulator.assembly import assemble"),
        ("assembly.py", "from emulator.server import Server"),
        ("server.py", "from emulator.cli import main"),
        ("probe.py", "from emulator.web.admin.site import PREFIX"),
        ("probe.py", "from emulator.server import Server"),
        ("client.py", "from emulator.server import Server"),
        ("client.py", "import aiohttp"),
        ("gate.py", "from emulator.server import ThreadedServer"),
        ("cli.py", "import aiohttp"),
        ("pytest_plugin.py", "from emulator.cli import main"),
        ("pytest_plugin.py", "from emulator.server import ThreadedServer"),
        ("testing/x.py", "from emulator.gate import judge"),
        ("testing/x.py", "import aiohttp"),
        ("novelty.py", ""),
        ("__init__.py", "from emulator.server import Server"),
    ],
)
def test_a_wrong_import_is_noticed(module: str, source: str) -> None:
    assert len(_faults(Path(module), source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("core/x.py", "import asyncio\nfrom emulator.core.clock import Clock\nimport orjson"),
        ("kingsoft/x.py", "from emulator.core import ids\nfrom emulator.kingsoft.media import output"),
        ("web/x.py", "import aiohttp\nfrom emulator import __version__\nfrom emulator.core.clock import Clock"),
        ("assembly.py", "from emulator.kingsoft.provider import Kingsoft\nfrom emulator.settings import Settings"),
        ("cli.py", "from emulator.server import Server\nfrom emulator.core.errors import Problem"),
        ("probe.py", "from emulator.core.clock import Machine"),
        ("client.py", "from emulator.core.errors import EmulatorError"),
        ("gate.py", "from emulator.client import AdminClient"),
        ("server.py", "from aiohttp import web\nfrom emulator.web.admin import api"),
    ],
)
def test_a_right_import_is_let_pass(module: str, source: str) -> None:
    assert _faults(Path(module), source) == []


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ('X = "at Baidu"', ["at Baidu"]),
        ('X = b"Kingsoft"', ["Kingsoft"]),
        ("kingsoft_state = 1", ["kingsoft_state"]),
        ("def f(baidu): pass", ["baidu"]),
        ('f"kvs.{x}.ksyun.com"', [".ksyun.com"]),
        ('"""As Kingsoft does."""\n# baidu\ndef f():\n    """Baidu."""', []),
        ('X = 1\n"""What Kingsoft calls x."""', []),
    ],
)
def test_a_cloud_that_is_named_is_noticed_unless_in_a_remark(source: str, named: list[str]) -> None:
    assert _clouds_named(source) == named
