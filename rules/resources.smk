# How much memory and time a job may take, and with which others it is submitted: helpers for
# the rules.
import os


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


def group(rule="", pipeline=""):
    """With which jobs a rule's are submitted to a scheduler; there are no groups without one."""
    return lambda wildcards: (
        None if workflow.local_exec else RUN.group(pipeline or wildcards.pipeline, rule)
    )


def association_group(wildcards):
    """With which jobs that of an association is submitted."""
    if workflow.local_exec:
        return None
    return RUN.associations.group(wildcards.association)
