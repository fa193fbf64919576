"""How a process that serves HTTP may be reached: by its own HTTPS, or through a proxy that ends TLS."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from pydantic import field_validator

from workers.encrypted_ways import is_this_machine
from workers.process_settings import ProcessSettings


class HttpSettings(ProcessSettings):
    """How what we serve is encrypted."""

    http_certificate: Path | None = None
    """PEM file with the certificate and its chain: HTTPS is served then, and nothing else. Read at the
    start: begin the process anew when it was renewed."""
    http_key: Path | None = None
    """PEM file with its key, where that is another file."""
    proxies: list[str] = []
    """Where proxies stand that end TLS, JSON ["10.0.0.5", "172.16.0.0/12"]: what they hand on in the clear is
    answered, and whom they name in X-Forwarded-For is taken for who asks."""

    @field_validator("proxies")
    @classmethod
    def _are_networks(cls, written: list[str]) -> list[str]:
        for each in written:
            ip_network(each)  # says in words what is none
        return written

    def networks(self) -> list[IPv4Network | IPv6Network]:
        """The networks, and single addresses, of `proxies`."""
        return [ip_network(each) for each in self.proxies]

    def encrypted_beyond_this_machine(self, host: str, setting: str) -> None:
        """Raises: `ValueError` where others could reach us in the clear."""
        if is_this_machine(host) or self.http_certificate or self.proxies:
            return
        raise ValueError(
            f"{setting}: {host} is reached from elsewhere in the clear. Set CLEW_HTTP_CERTIFICATE and"
            " CLEW_HTTP_KEY to serve HTTPS, or CLEW_PROXIES to where your proxy with TLS stands"
        )
