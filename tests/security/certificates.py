"""Certificates for tests: an authority of one's own, and what it signs."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

# RSA, since the weak ciphers that must be refused need it.
_BITS, _EXPONENT = 2048, 65537


@dataclass(slots=True, frozen=True, kw_only=True)
class Certificate:
    """Files in PEM. `authority` is who signed it."""

    authority: Path
    certificate: Path
    key: Path


def certificate(folder: Path, name: str = "localhost") -> Certificate:
    """For a host, and 127.0.0.1 where it is this machine, by an authority that nobody knows."""
    folder.mkdir(exist_ok=True)
    root, root_key = _made(f"Authority of {folder.name}", None, None)
    signed, key = _made(name, root, root_key)
    files = Certificate(
        authority=folder / "authority.pem",
        certificate=folder / "certificate.pem",
        key=folder / "key.pem",
    )
    files.authority.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    files.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def _made(
    name: str, by: x509.Certificate | None, by_key: rsa.RSAPrivateKey | None
) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(_EXPONENT, _BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    hosts: list[x509.GeneralName] = [x509.DNSName(name)]
    if name == "localhost":
        hosts.append(x509.IPAddress(ip_address("127.0.0.1")))
    building = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
    )
    if by is not None:
        building = building.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    return building.sign(by_key or key, hashes.SHA256()), key
