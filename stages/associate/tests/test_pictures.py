"""Which mosaics make a colour image."""

import pytest

from calwebb_associate.pictures import Mosaic, colour_sets, wavelength


@pytest.mark.parametrize(
    ("filter_", "pupil", "microns"),
    [
        ("F277W", "CLEAR", 2.77),
        ("F444W", "F470N", 4.70),
        ("F150W2", "F164N", 1.64),
        ("CLEAR", "F200W", 2.00),
        ("F1280W", None, 12.8),
        ("OPEN", None, 0.0),
        (None, None, 0.0),
    ],
)
def test_wavelength(filter_, pupil, microns):
    assert wavelength({"FILTER": filter_, "PUPIL": pupil}) == microns


def mosaic(candidate, microns, members=4, target="t001", program="01345"):
    name = f"jw{program}-{candidate}_{target}_nircam_clear-f{round(100 * microns):03d}w"
    return Mosaic(name, microns, members)


def test_three_filters_of_a_candidate_make_a_set():
    mosaics = [mosaic("o001", microns) for microns in (4.44, 1.15, 2.77, 2.0)]
    mosaics += [mosaic("o002", microns) for microns in (1.15, 2.0)]
    assert colour_sets(mosaics) == {
        "jw01345-o001_t001_nircam": [
            f"jw01345-o001_t001_nircam_clear-f{number}w" for number in (115, 200, 277, 444)
        ]
    }


def test_a_target_observed_filter_by_filter_makes_one_too():
    mosaics = [mosaic(f"o00{n}", microns) for n, microns in enumerate((4.44, 1.15, 2.77))]
    mosaics.append(mosaic("o007", 1.15, members=2))
    mosaics += [mosaic("o001", microns, target="t002") for microns in (1.15, 2.0)]
    assert colour_sets(mosaics) == {
        "jw01345_t001_nircam": [
            "jw01345-o001_t001_nircam_clear-f115w",
            "jw01345-o002_t001_nircam_clear-f277w",
            "jw01345-o000_t001_nircam_clear-f444w",
        ]
    }


def test_fewer_or_unknown_filters_make_none():
    assert colour_sets([mosaic("o001", 2.0), mosaic("o001", 0.0), mosaic("o001", 1.15)]) == {}
