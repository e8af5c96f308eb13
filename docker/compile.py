"""Compiles what the emulator uses of the standard library, which the base image has as source only.

usage: compile.py FOLDER     then FOLDER/* belongs into the folder that has the standard library's
"""

import importlib
import pkgutil
import py_compile
import sys
import sysconfig
from importlib.util import cache_from_source
from pathlib import Path

import emulator

FURTHER = ("encodings.idna", "encodings.latin_1", "encodings.ascii", "faker", "jsonschema", "pypdf", "trustme", "yaml")
library, target = Path(sysconfig.get_path("stdlib")), Path(sys.argv[1])
modules = [found.name for found in pkgutil.walk_packages(emulator.__path__, "emulator.")]
for name in (*modules, *FURTHER):
    if not name.endswith(("__main__", "pytest_plugin")):
        importlib.import_module(name)
for module in list(sys.modules.values()):
    source = Path(getattr(module, "__file__", None) or "")
    if source.suffix == ".py" and source.is_relative_to(library) and "site-packages" not in source.parts:
        compiled = target / Path(cache_from_source(str(source))).relative_to(library.parent)
        compiled.parent.mkdir(parents=True, exist_ok=True)
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(source), cfile=str(compiled), doraise=True, invalidation_mode=mode)
