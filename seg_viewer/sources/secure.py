"""Secure connections (TLS): who answers is checked, always, against the system's authorities or one's own.

FFmpeg checks nobody by itself, and what an HLS playlist names it asks for without any check even where it was told to.
So https is read by Python (`web.py`), and FFmpeg is handed the bytes; rtsps and rtmps it is told to check.
"""

from __future__ import annotations

import socket
import ssl
import sys
from pathlib import Path
from urllib.parse import urlsplit

from seg_viewer.core.errors import UsageError
from seg_viewer.sources.address import SECURE, Address

_PORTS = {"https": 443, "rtsps": 322, "rtmps": 443}
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # Alpine, macOS
)


def tls_options(address: Address) -> dict[str, str]:
    """FFmpeg's options that have it check who answers; none for what is not secure."""
    if address.scheme not in (*SECURE, "http"):  # an http server may send one on to https
        return {}
    authorities = address.ca or _system_bundle()
    return {"tls_verify": "1"} | ({"ca_file": authorities} if authorities else {})


def _system_bundle() -> str:
    """A file with the authorities that this system trusts; "" where it keeps them elsewhere."""
    usual = ssl.get_default_verify_paths().cafile
    if usual:
        return usual
    return "" if sys.platform == "win32" else next((path for path in _BUNDLES if Path(path).is_file()), "")


def tls_context(address: Address) -> ssl.SSLContext:
    """Checks certificates and host names. Raises: UsageError for a file of authorities that is none."""
    try:
        context = ssl.create_default_context(cafile=address.ca or None)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise UsageError(f"{address.name}: ca {address.ca}: no such file") from None
        raise UsageError(f"{address.name}: ca {address.ca}: holds no certificate in PEM format") from None
    # Python 3.13 refuses authorities without a key usage, which people make for their cameras; FFmpeg does not
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not address.ca and not context.cert_store_stats()["x509_ca"] and (bundle := _system_bundle()):
        context.load_verify_locations(bundle)  # Python was built for another system than it runs on
    return context


def tls_problem(address: Address) -> OSError | None:
    """Why no secure connection can be made, of which FFmpeg says nothing; None where one can, or nobody is there.

    Connects once more; takes `address.timeout_s` at most, twice.
    """
    where = address.host, urlsplit(address.url).port or _PORTS[address.scheme]
    try:
        plain = socket.create_connection(where, address.timeout_s)
    except OSError:
        return None
    with plain:
        try:
            tls_context(address).wrap_socket(plain, server_hostname=address.host).close()
        except OSError as error:
            return error
    return None
