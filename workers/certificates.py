"""How our servers encrypt: TLS 1.2 and 1.3, with ciphers that keep past words secret when a key is lost."""

import ssl
from pathlib import Path

from workers.process import UnfitInstallationError

CIPHERS = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
)
"""Of TLS 1.2, the strongest first: Mozilla's intermediate list without DHE. All of TLS 1.3 is as good."""


def server_side(certificate: Path, key: Path | None, settings: str) -> ssl.SSLContext:
    """What a server encrypts with. `settings`: what they are called that name the files.

    Raises: `UnfitInstallationError` where the certificate cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join(CIPHERS))
    context.options |= (
        ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    )
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise UnfitInstallationError(
            f"{settings}: the certificate cannot be used: {error}"
        ) from None
    return context
