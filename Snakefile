# calwebb-flow: raw exposures (_uncal) to calibrated exposures, mosaics and catalogs.
# The plan of the run (exposures, associations, reference files) is made from headers when
# this file is read, so that a dry run knows every job; see docs/workflow.md.
from snakemake.utils import min_version

min_version("9.0")


configfile: "config.yaml"


include: "rules/common.smk"


wildcard_constraints:
    program=r"\d{5}",
    exposure=names.EXPOSURE_PATTERN,
    association=r"jw\d{5}-[oca]\d+_[a-z0-9-]+_\d{5}_asn",
    product=r"jw\d{5}-[oca]\d+_[a-z0-9_.-]+",
    pipeline="detector1|image2|image3",


include: "rules/references.smk"
include: "rules/associations.smk"
include: "rules/detector1.smk"
include: "rules/image2.smk"
include: "rules/level3.smk"
include: "rules/quicklook.smk"


rule all:
    default_target: True
    input:
        rules.detector1_all.input,
        rules.image2_all.input,
        rules.image3_all.input,
        rules.associations_all.input,
