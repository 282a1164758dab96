"""Console scripts of stage 3."""

from calwebb_core.framework.command import make_program

image3 = make_program(
    "calwebb_level3.image3:PIPELINE",
    package="calwebb_level3",
    example="calwebb-image3 run jw01345-o001_image3_00001_asn.json --output-dir results/01345",
    association=True,
)

tso3 = make_program(
    "calwebb_level3.tso3:PIPELINE",
    package="calwebb_level3",
    example="calwebb-tso3 run jw01366-o003_tso3_00001_asn.json --output-dir results/01366",
    association=True,
)

spec3 = make_program(
    "calwebb_level3.spec3:PIPELINE",
    package="calwebb_level3",
    example="calwebb-spec3 run jw01309-o022_spec3_00001_asn.json --output-dir results/01309",
    association=True,
)
