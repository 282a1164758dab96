# How much memory and time a job may take, and with which others it is submitted: helpers for
# the rules.
import gc
import os
import sys

# Thousands of jobs are planned: to look for garbage meanwhile takes a seventh of the time, and there
# is none. It is looked for again when the jobs start.
if workflow.is_main_process:
    gc.disable()


def megabytes(files):
    """Size of files; FileNotFoundError, "to be determined" in a dry run, if one is still to be made.

    Associations and lists of reference files are small, and made in the same submission.
    Snakemake's own `input.size_mb` starts an event loop for each job, which a plan of thousands
    of jobs is slowed down by.
    """
    return (
        sum(os.stat(path).st_size for path in files if not path.endswith(".json"))
        / 1024**2
    )


def memory(base, per_input):
    """Megabytes: a base and a multiple of the input's size, more with every attempt."""
    return lambda wildcards, input, attempt: int(
        attempt * (base + per_input * megabytes(input))
    )


def runtime(base, per_gigabyte):
    """Minutes: a base and a multiple of the input's size, more with every attempt."""
    return lambda wildcards, input, attempt: int(
        attempt * (base + per_gigabyte * megabytes(input) / 1024)
    )


# Inside a submission, Snakemake starts itself again. It is told there which jobs to run, but neither
# `group-components`, without which exposures would be processed one after another, nor how many
# cores were asked for, which not every site holds a job to.
SUBMISSION = "submission"
if workflow.remote_exec and workflow.local_exec:
    cores = int(os.environ.get("SLURM_CPUS_PER_TASK") or workflow.cores)
    workflow.global_resources["_cores"] = min(workflow.cores, cores)


def together(name):
    """Group of that name where jobs are submitted; one group inside a submission."""
    if workflow.local_exec:
        return None
    if not workflow.remote_exec:
        return name
    # Not earlier: Snakemake gives the workflow its settings of groups after it has read the rules.
    workflow.group_settings.group_components = {SUBMISSION: sys.maxsize}
    return SUBMISSION


def group(rule="", pipeline=""):
    """With which jobs a rule's are submitted to a scheduler; there are no groups without one."""
    return lambda wildcards: together(RUN.group(pipeline or wildcards.pipeline, rule))


def association_group(wildcards):
    """With which jobs that of an association is submitted."""
    return together(RUN.associations.group(wildcards.association))
