"""The console script `calwebb-image2`."""

from calwebb_core.framework.command import make_program

main = make_program(
    "calwebb_image2.pipeline:PIPELINE",
    name="calwebb-image2",
    package="calwebb_image2",
    example="calwebb-image2 run jw01345001001_02201_00001_nrcalong_rate.fits "
    "--references REFS.json --output-dir results",
    association=True,
)
