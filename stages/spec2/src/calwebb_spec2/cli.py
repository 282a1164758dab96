"""The console script `calwebb-spec2`."""

from calwebb_core.framework.command import make_program

main = make_program(
    "calwebb_spec2.pipeline:PIPELINE",
    name="calwebb-spec2",
    package="calwebb_spec2",
    example="calwebb-spec2 step srctype jw01345061001_04101_00001_nrs1_rate.fits --output-dir out",
    association=True,
)
