# Helpers for the rules: what the plan of the run says, as input functions. The plan itself is
# plain Python with tests of its own (calwebb_associate.workflow).
import atexit
import os

from calwebb_associate.workflow import Run
from calwebb_core.framework import names, printing
from calwebb_core.framework.errors import CalwebbError
from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

try:
    RUN = Run(
        config,
        base=workflow.basedir,
        containers=DeploymentMethod.APPTAINER
        in workflow.deployment_settings.deployment_method,
    )
except CalwebbError as error:
    raise WorkflowError(printing.printable(str(error))) from None

# What is not available yet is said before the first job, or below all jobs of a dry run; series
# that are not whole at the end, too.
if workflow.is_main_process:
    atexit.register(RUN.say_at_the_end)

RESULTS, LOGS = RUN.results, RUN.logs
# A conda environment installs the stage from the sources once it is made.
os.environ.update(RUN.environment, CALWEBB_SOURCES=str(workflow.basedir))


def image(stage):
    """Image of a stage; used with --sdm apptainer only."""
    return RUN.image(stage)


def environment(stage):
    """Conda environment of a stage, with --sdm conda only: to know of it slows plans down."""
    if DeploymentMethod.CONDA not in workflow.deployment_settings.deployment_method:
        return None
    return str(Path(workflow.basedir, "envs", f"{stage}.yaml"))


def unit_of(wildcards):
    """Exposure, guide-star data or product that a job is about."""
    values = dict(wildcards.items())
    return next(
        values[key] for key in ("unit", "exposure", "guide", "product") if key in values
    )


def raw_file(wildcards):
    """Raw exposure whose header chooses the reference files."""
    return RUN.representative_uncal(unit_of(wildcards))


def raw_files_of_program(wildcards):
    """Raw exposures of a program."""
    return RUN.associations.uncal_of_program(wildcards.program)


def reference_files(pipeline=None, overrides=True):
    """Paths of the reference files, the user's own in place of the chosen ones."""
    return lambda wildcards: RUN.reference_files(
        unit_of(wildcards), pipeline or wildcards.pipeline, overrides=overrides
    )


def reference_selection(wildcards):
    """Names of the chosen reference files by type."""
    return RUN.reference_selection(wildcards.unit, wildcards.pipeline)


def left_before(wildcards):
    """What the previous exposure of the detector left: one file, or none."""
    return RUN.left_before(wildcards.exposure)


def options_with_left(wildcards, input):
    """Options of detector1, with that file."""
    return RUN.options_with(input.left)


def association_content(wildcards):
    """An association as text."""
    return RUN.associations.content(wildcards.association)


def own_association(wildcards):
    """The user's association of that name."""
    return RUN.associations.own(wildcards.association)


def association_file(kind=""):
    """Association that makes a kind of products of an exposure, or a product."""
    return lambda wildcards: RUN.association_file(unit_of(wildcards), kind)


def calibrated_members(wildcards):
    """Calibrated exposures of a product."""
    return RUN.members(wildcards.product)


def count_rates(kind):
    """Count rates of an exposure, of which `_cal` or `_calints` are made."""
    return lambda wildcards: RUN.members(wildcards.exposure, kind)[0]


def background_rates(kind):
    """Count rates of the background exposures that are subtracted from an exposure."""
    return lambda wildcards: RUN.members(wildcards.exposure, kind)[1:]


def mosaics_of_colour(wildcards):
    """Mosaics of a colour image, bluest first."""
    return RUN.colours.mosaics(wildcards.colour)


def made_by(pipeline, **paths):
    """Those products of a pipeline whose steps are on."""
    return {
        name: path
        for name, path in paths.items()
        if RUN.makes(pipeline, path.rpartition("_")[2].partition(".")[0])
    }


def by_program(paths):
    """Sort paths of products by the program they belong to."""
    found = {}
    for path in paths:
        program = path.removeprefix(f"{RESULTS}/").partition("/")[0]
        found.setdefault(program, []).append(path)
    return found


def paths_of_program(paths):
    """Paths of a program, of those that `by_program` sorted."""
    return lambda wildcards: paths[wildcards.program]
