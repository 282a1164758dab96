# calwebb-flow: raw exposures (_uncal) to calibrated exposures, mosaics and catalogs.
# The plan of the run (exposures, associations, reference files) is made from headers when
# this file is read, so that a dry run knows every job; see docs/workflow.md.
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")


configfile: Path(workflow.basedir, "config.yaml")


include: "rules/common.smk"
include: "rules/resources.smk"


wildcard_constraints:
    program=names.PROGRAM_PATTERN,
    exposure=names.EXPOSURE_PATTERN,
    guide=names.GUIDE_STAR_PATTERN,
    product=RUN.associations.product_pattern,
    colour=RUN.colours.pattern,
    unit=f"{names.EXPOSURE_PATTERN}|{names.GUIDE_STAR_PATTERN}|{RUN.associations.product_pattern}",
    association=names.ASSOCIATION_PATTERN,
    pipeline="detector1|dark|guider|image2|spec2|image3|spec3|tso3",
    name=r"[a-z0-9_.-]+",


include: "rules/references.smk"
include: "rules/associations.smk"
include: "rules/detector1.smk"
include: "rules/image2.smk"
include: "rules/spec2.smk"
include: "rules/level3.smk"
include: "rules/spec3.smk"
include: "rules/tso3.smk"
include: "rules/quicklook.smk"
include: "rules/quicklook_spectra.smk"
include: "rules/report.smk"
include: "rules/provenance.smk"


rule all:
    default_target: True
    input:
        rules.associations_all.input,
        rules.detector1_all.input,
        rules.dark_all.input,
        rules.guider_all.input,
        rules.image2_all.input,
        rules.spec2_all.input,
        rules.image3_all.input,
        rules.spec3_all.input,
        rules.tso3_all.input,
        rules.report_all.input,
        rules.provenance_all.input,
