import pytest

from examples.flight.day import Day
from insight.rehearsed import Rehearsed
from tests.unit.examples.flown_days import CALM, STORM, flown


@pytest.fixture
def storm() -> tuple[Day, Rehearsed]:
    return flown(STORM)


@pytest.fixture
def calm() -> tuple[Day, Rehearsed]:
    return flown(CALM)
