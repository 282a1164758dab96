"""The image that confirms the target of a spectrum."""

from dataclasses import replace

import pytest

from calwebb_core.framework.errors import InputError
from calwebb_simulator.plan import plan
from calwebb_simulator.run import run
from calwebb_simulator.scenario_file import load_scenario
from calwebb_simulator.spectra.acquisition import is_acquisition, star_pixel
from calwebb_simulator.spectra.run import run_rates


def test_the_telescope_misses_by_the_same_in_image_and_spectra():
    scenario = load_scenario("lrs-target")
    entries = plan(scenario)
    assert [is_acquisition(entry) for entry in entries] == [False, False, True]
    there = [star_pixel(entry) for entry in entries]
    whole = [
        star_pixel(e) for e in plan(replace(scenario, pointing=load_scenario("lrs-slit").pointing))
    ]
    moved = [(a[0] - b[0], a[1] - b[1]) for a, b in zip(there, whole, strict=True)]
    assert abs(moved[0][0]) > 0.3
    for other in moved[1:]:
        assert other == pytest.approx(moved[0], abs=0.01)
    # less the offset of the image's filter
    assert whole[2] == pytest.approx([325.13 - 0.27, 299.7 - 0.18], abs=0.01)
    assert sum(place[0] for place in whole[:2]) / 2 == pytest.approx(325.13, abs=0.05)


def test_ramps_have_no_image_of_a_target(tmp_path):
    with pytest.raises(InputError, match="lrs-target: has an image of a spectrum's target; only"):
        run(load_scenario("lrs-target"), tmp_path)


def test_images_alone_are_no_rates(tmp_path):
    scenario = load_scenario("lrs-target")
    for groups in (scenario.exposures[1:], load_scenario("miri").exposures):
        with pytest.raises(InputError, match="rates are for spectra"):
            run_rates(replace(scenario, exposures=groups), tmp_path)
