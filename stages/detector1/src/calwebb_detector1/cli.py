"""The console scripts `calwebb-detector1`, `calwebb-dark` and `calwebb-guider`."""

from calwebb_core.framework.command import make_program

main = make_program("calwebb_detector1.pipeline:PIPELINE", name="calwebb-detector1")
dark = make_program(
    "calwebb_detector1.dark:PIPELINE",
    name="calwebb-dark",
    meaning="calwebb_dark: raw darks to corrected ramps.",
    example="calwebb-dark run jw01345001001_02201_00001_nrcalong_uncal.fits"
    " --references refs.json --output-dir results",
)
guider = make_program(
    "calwebb_detector1.guider:PIPELINE",
    name="calwebb-guider",
    meaning="calwebb_guider: raw guide-star data to count rates.",
    example="calwebb-guider run jw01019001001_gs-acq1_2022117003102_uncal.fits"
    " --references refs.json --output-dir results",
)
