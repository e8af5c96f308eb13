"""What a client is told so that it finds the emulator: environment variables, in the form that each place wants."""

from __future__ import annotations

import json
import os
import re
import shlex
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from emulator.client import AdminClient, Unreachable
from emulator.core.errors import EmulatorError
from emulator.core.values import value_type

UNPROXIED = ("localhost", "127.0.0.1", "::1")
"""Hosts that are reached directly, beside the emulator itself: receivers of callbacks on this machine."""
BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "KS_CA_BUNDLE", "AWS_CA_BUNDLE")
"""Variables that name a file with every certificate that is trusted: OpenSSL and Go, requests, curl, the SDKs' own."""
ADDED = ("NODE_EXTRA_CA_CERTS", "DENO_CERT")
"""Variables that name a file with certificates to be trusted beside the usual ones."""


@value_type
class Certificates:
    """Two files: the authority's certificate, and a bundle of that and all that this machine trusts."""

    authority: Path
    bundle: Path


def endpoints(url: str, token: str | None) -> dict[str, str]:
    """For a client whose endpoint can be set: the variables that say where the emulator at ``url`` is."""
    found = {
        "EMULATOR_URL": url,
        "EMULATOR_PORT": str(urlsplit(url).port or 80),
        "EMULATOR_KINGSOFT_ENDPOINT": url,
        "EMULATOR_BAIDU_ENDPOINT": url,
    }
    return found if token is None else {**found, "EMULATOR_ADMIN_TOKEN": token}


def proxied(url: str, certificates: Certificates) -> dict[str, str]:
    """For a client that is not to be changed: the emulator as its proxy, and whom to trust."""
    found = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), url)
    direct = ",".join(dict.fromkeys((*UNPROXIED, urlsplit(url).hostname or "")))
    found |= {"NO_PROXY": direct, "no_proxy": direct}
    found |= {name: str(certificates.bundle) for name in BUNDLES}
    return found | {name: str(certificates.authority) for name in ADDED}


def fetch(client: AdminClient, folder: Path) -> Certificates:
    """Put the certificate of the emulator's authority into ``folder``, and a bundle beside it.

    Raises:
        Unreachable: the emulator does not answer.
        EmulatorError: it has none, or the folder cannot be written to.

    """
    authority = client.raw("/ca.pem")
    if not authority.startswith(b"-----BEGIN CERTIFICATE-----"):
        raise Unreachable(f"{client.url} answers, but has no certificate; is it an emulator?")
    folder = folder.absolute()
    found = Certificates(folder / "ca.pem", folder / "bundle.pem")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(found.authority, authority)
        _replace(found.bundle, _usual(found.bundle) + b"\n" + authority)
    except OSError as error:
        raise EmulatorError(f"{error.filename}: {error.strerror}; choose another folder with --ca-dir") from None
    return found


def _usual(ours: Path) -> bytes:
    """The certificates that this machine trusts, unless somebody was already told to trust ``ours``."""
    paths = ssl.get_default_verify_paths()
    gathered = (
        Path(paths.openssl_capath) / "ca-certificates.crt"
    )  # Debian has a folder, and in it all of them in a file
    candidates: tuple[str | Path | None, ...] = (paths.cafile, paths.openssl_cafile, gathered)
    for file in candidates:
        if file and Path(file) != ours and Path(file).is_file():
            return Path(file).read_bytes()
    return b""


def _replace(path: Path, content: bytes) -> None:
    """Write a file under another name first, so that a reader never finds half of it."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _exports(variables: Mapping[str, str]) -> str:
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def _quoted(variables: Mapping[str, str]) -> str:
    """As readers of ``.env`` files take it. Docker's ``--env-file`` keeps quotes, so there are none without need."""
    return "".join(
        f"{name}={value if _PLAIN.fullmatch(value) else _in_quotes(value)}\n" for name, value in variables.items()
    )


def _in_quotes(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _lines(variables: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def _mapping(variables: Mapping[str, str]) -> str:
    """YAML; Compose replaces ``$`` by a variable unless it is doubled."""
    rows = ((name, json.dumps(value.replace("$", "$$"))) for name, value in variables.items())
    return "environment:\n" + "".join(f"  {name}: {value}\n" for name, value in rows)


_PLAIN = re.compile(r"[\w@%+=:,./\[\]-]+")
FORMATS: dict[str, Callable[[Mapping[str, str]], str]] = {
    "sh": _exports,
    "dotenv": _quoted,
    "compose": _mapping,
    "github": _lines,
}
HINTS = {
    "sh": 'eval "$(emulator env)"',
    "dotenv": "emulator env --format dotenv > .env",
    "compose": "below a service; there the emulator is http://ITS-SERVICE:8640, and the two files are mounted",
    "github": 'emulator env --format github >> "$GITHUB_ENV"',
}
"""How to use each format."""
