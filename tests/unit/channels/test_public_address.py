"""What is private is told from what is public in every spelling of an address."""

import pytest

from channels.public_address import is_public


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4014:80e::200e",
        "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::",
    ],
)  # fmt: skip
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.31.255.255", "192.168.0.1", "169.254.169.254",
        "100.64.0.1", "192.0.2.1", "224.0.0.251", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "::1", "::", "::7f00:1", "::ffff:7f00:1", "::ffff:169.254.169.254", "::ffff:0:10.0.0.7",
        "64:ff9b::10.0.0.7", "64:ff9b:1::10.0.0.7", "2002:a00:7::1", "2001:0:4136:e378::", "fe80::1",
        "fe80::1%eth0", "fc00::1", "fd00::1", "fec0::1", "ff0e::1", "2001:db8::1", "4000::1",
    ],
)  # fmt: skip
def test_a_private_address_is_private_however_it_is_written(address: str) -> None:
    assert not is_public(address)


def test_what_is_no_address_is_neither() -> None:
    with pytest.raises(ValueError, match="stock"):
        is_public("stock.example.com")
