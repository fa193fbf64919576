"""Which addresses are public: what is private in any spelling of it is not."""

import ipaddress

_ALL_PUBLIC = ipaddress.IPv6Network("2000::/3")
"""All that IANA has given out for the public Internet of IPv6."""

_SET_APART = tuple(
    ipaddress.ip_network(each)
    for each in (
        "168.63.129.16/32",  # where Azure tells a machine about itself
        "192.0.0.0/24",  # protocols' own, where Oracle's cloud tells a machine about itself
        "192.88.99.0/24",  # relays of 6to4, which led into other networks (RFC 7526)
        "3fff::/20",  # documentation (RFC 9637), newer than the standard library's table
    )
)
"""Not public, though the standard library takes them for it."""

_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 as a translating gateway is told of it (RFC 6052): the last 32 bits are where it calls."""


def is_public(address: str) -> bool:
    """Whether an IP address, as text, is one of the public Internet. Raises: `ValueError` where it is none."""
    found = ipaddress.ip_address(address)
    if any(found in network for network in _SET_APART):
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return found.is_global and not found.is_multicast
    inside = found.ipv4_mapped or found.sixtofour
    if found in _TRANSLATED:
        inside = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
    if inside is not None:
        return is_public(str(inside))
    return found.is_global and found in _ALL_PUBLIC
