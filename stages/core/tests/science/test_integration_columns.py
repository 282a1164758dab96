"""Columns with one value an integration, and numbers that no exposure has."""

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.science.spectral.spectrum_table import integration_columns


def test_integrations_are_numbered_from_the_first_of_the_file():
    columns = integration_columns(Metadata({"INTSTART": 11, "EXSEGNUM": 2}), None, 3, 5)
    assert columns["INT_NUM"].tolist() == [11, 12, 13]
    assert columns["SEGMENT"].tolist() == [2, 2, 2]
    assert integration_columns(Metadata(), None, 2, 5)["INT_NUM"].tolist() == [1, 2]
    assert columns["INT_NUM"].dtype == np.int32


@pytest.mark.parametrize("name", ["INTSTART", "EXSEGNUM"])
@pytest.mark.parametrize("value", [3_000_000_000, -4])
def test_numbers_that_no_exposure_has_are_refused(name, value):
    with pytest.raises(InputError, match=f"x.fits: {name} is {value}; expected 1 to 1000000000"):
        integration_columns(Metadata({name: value}, "x.fits"), None, 3, 5)
