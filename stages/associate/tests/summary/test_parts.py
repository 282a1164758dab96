"""The parts of the page: text, sky, time line, record, small pictures."""

import json
from dataclasses import replace

import numpy as np
import pytest

from calwebb_associate.summary.colours import colours_of
from calwebb_associate.summary.gather import gather
from calwebb_associate.summary.observed import exposure_time, exposures_of, targets_of
from calwebb_associate.summary.record import options_of, read_defaults, record_of, steps_of
from calwebb_associate.summary.sky import fields_of, frame_of, plane
from calwebb_associate.summary.text import clean, counted, duration, moment, sexagesimal, span
from calwebb_associate.summary.thumbnails import small, thumbnails_of
from calwebb_associate.summary.timeline import MOST_BLOCKS, stretches, timeline_of


def test_text_without_what_breaks_or_turns_a_page():
    assert clean("a\x00b\u202ec\ud800\n") == "a\ufffdb\ufffdc\ufffd\ufffd"
    assert clean("x" * 1000) == "x" * 299 + "\u2026"
    assert clean(" <b> ") == "<b>"
    assert clean(3.5) == "3.5"


def test_numbers_in_words():
    assert counted(1, "exposure") == "1 exposure"
    assert counted(2, "stretch") == "2 stretches"
    assert span([1, None, 1.0]) == "1"
    assert span([3, 10, 5]) == "3\u201310"
    assert span([None]) == ""
    assert len(span([1e300])) < 10
    assert [duration(x) for x in (None, 42.94, 300, 8000, 2e5)] == [
        "", "42.9 s", "5.0 min", "2.2 h", "2.3 d",
    ]  # fmt: skip
    assert len(duration(1e300)) < 20
    assert moment(60017.25) == "2023-03-14 06:00:00"
    assert moment(1e300) == ""


@pytest.mark.parametrize(
    ("ra", "dec", "text"),
    [
        (80.4875, -69.4975, "05h21m57.00s \u221269\u00b029\u203251.0\u2033"),
        (359.999999999, 0.0, "00h00m00.00s +00\u00b000\u203200.0\u2033"),
        (0.0, -0.01, "00h00m00.00s \u221200\u00b000\u203236.0\u2033"),
        (15.0, 89.99999999, "01h00m00.00s +90\u00b000\u203200.0\u2033"),
    ],
)
def test_sexagesimal(ra, dec, text):
    assert sexagesimal(ra, dec) == text


def fields(program):
    program.pool()
    exposures = exposures_of(gather(program.folder, program.logs, [program.raw]))
    return fields_of(targets_of(exposures)[0], colours_of(exposures))


def square(ra, dec, size=0.01):
    corners = [(ra + a * size, dec + b * size) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))]
    words = " ".join(f"{a % 360:.6f} {b:.6f}" for a, b in corners)
    return {"S_REGION": f"POLYGON ICRS  {words}"}


def points(field, number=0):
    path = field.shapes[number].path.strip("MZ").split()
    return np.array([[float(x) for x in pair.split(",")] for pair in path])


def test_north_is_up_and_east_is_left(program):
    program.expose(1, sky=square(150.0, 2.0))
    (field,) = fields(program)
    south_west, south_east, north_east, _ = points(field)
    assert south_east[0] < south_west[0]
    assert north_east[1] < south_east[1]
    assert field.beside[0].y > field.beside[-1].y
    assert field.bar[0] < field.box[2] / 4


def test_right_ascension_runs_through_zero(program):
    program.expose(1, sky=square(359.99, 2.0))
    program.expose(2, sky=square(0.01, 2.0))
    (field,) = fields(program)
    assert np.abs(points(field, 0) - points(field, 1)).max() < field.width
    assert any(tick.text == "00h00m00s" for tick in field.below)


def test_places_far_apart_get_pictures_of_their_own(program):
    program.expose(1, sky=square(150.0, 2.0))
    program.expose(2, sky=square(150.0, 40.0))
    program.expose(3, sky={"RA_REF": 150.0, "DEC_REF": 2.0})
    near, far = fields(program)
    assert [len(near.shapes), len(far.shapes)] == [2, 1]
    assert near.title.endswith("field 1")
    assert "of 1 only the position is known" in near.summary


@pytest.mark.parametrize(
    "region", ["POLYGON ICRS 1 2 3", "POLYGON ICRS a b c d e f", "CIRCLE 1 2 3", "POLYGON " * 9]
)
def test_a_broken_outline_is_a_position(program, region):
    program.expose(1, sky={"S_REGION": region, "RA_REF": 150.0, "DEC_REF": 2.0})
    (field,) = fields(program)
    assert "h12" in field.shapes[0].path


def test_the_pole(program):
    program.expose(1, sky=square(10.0, 89.999, 0.0005))
    (field,) = fields(program)
    assert np.isfinite(points(field)).all()


def test_a_frame_of_one_point_has_a_size():
    left, right, bottom, top = frame_of(np.zeros((1, 2)))
    assert right > left
    assert top > bottom
    assert plane(np.array([[0.0, 90.0]])).centre[1] == pytest.approx(90)


def test_gaps_are_pressed_together(half_way):
    exposures = exposures_of(gather(half_way.folder, half_way.logs, [half_way.raw]))
    line = timeline_of(exposures, colours_of(exposures))
    assert [gap.text for gap in line.gaps] == ["3.0 d"]
    assert line.undated == 1
    assert all(bar.x + bar.width < line.width for bar in line.bars)
    first, second = line.blocks
    assert first.x + first.width < second.x


def test_as_many_stretches_of_time_as_fit():
    moments = [(60000.0 + number, 60000.1 + number) for number in range(500)]
    assert len(stretches(moments)) <= MOST_BLOCKS
    assert stretches([(1.0, 2.0), (1.5, 1.6), (2.01, 3.0)])[0].end == 3.0


def test_times_that_are_none(program):
    program.expose(1, EXPSTART=1e300, EXPEND=-5.0, EFFEXPTM=1e300, NGROUPS=True)
    program.pool()
    (exposure,) = exposures_of(gather(program.folder, program.logs, [program.raw]))
    assert (exposure.start, exposure.end, exposure.ngroups) == (None, None, None)
    assert timeline_of([exposure], colours_of([exposure])) is None
    assert len(program.report().read_text(encoding="utf-8")) < 50_000


def test_segments_have_the_time_of_one_exposure(program):
    program.expose(1)
    program.pool()
    (exposure,) = exposures_of(gather(program.folder, program.logs, [program.raw]))
    before, detector = exposure.root.rsplit("_", 1)
    names = [f"{before}-seg{number:03d}_{detector}" for number in (1, 2, 3)]
    assert exposure_time([replace(exposure, root=name) for name in names]) == 85.9


def test_optics_of_an_integral_field_unit(half_way):
    gathered = gather(half_way.folder, half_way.logs, [half_way.raw])
    found = {item.root: item.optics for item in exposures_of(gathered)}
    assert found[half_way.names["lost"]] == "CHANNEL 12 + SHORT"
    assert found[half_way.names["done"]] == "F277W"


def test_steps_in_their_order(half_way):
    record = record_of(gather(half_way.folder, half_way.logs), None)
    assert [name for name, _, _ in record.steps.rows] == ["jump", "flat_field", "photom"]
    assert not record.compared
    assert steps_of([]).rows == []


def test_parameters_that_are_not_at_their_default(tmp_path):
    schema = {
        "properties": {
            "uncal": {"type": "string"},
            "detector1": {
                "properties": {
                    "jump": {"properties": {"limit": {"default": 4.0}, "on": {"default": True}}}
                }
            },
        }
    }
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(schema))
    defaults = read_defaults(path)
    steps = [
        {"name": "jump", "parameters": {"limit": 5.0, "on": True, "new": 1}},
        {"name": "mine", "parameters": {"x": 1}},
        "nothing",
    ]
    runs = [(tmp_path / "x_rate.fits", {"pipeline": "detector1", "steps": steps})]
    runs += [(tmp_path / "y_rate.fits", {"pipeline": "detector1", "steps": 3})]
    (option,) = options_of(runs, defaults)
    assert (option.step, option.name, option.value, option.default) == (
        "jump", "limit", "5.0", "4.0",
    )  # fmt: skip
    assert option.products == "x_rate.fits"
    assert read_defaults(None) is None


def test_what_is_no_picture_is_linked(tmp_path):
    (tmp_path / "x_i2d.png").write_bytes(b"GIF89a")
    assert small(tmp_path / "x_i2d.png") == (b"", (0, 0))
    (thumbnail,) = thumbnails_of([(tmp_path / "x_i2d.png", "x", "i2d")])
    assert thumbnail.data == ""
