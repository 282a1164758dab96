"""The errors a user may meet, each with the exit code of the program that reports it.

A message names the file, the keyword or array, what was found and what was expected, and
what to do. Anything that is not a `CalwebbError` is a fault of ours: exit code 1.
"""


class CalwebbError(Exception):
    """A failure that is explained in one sentence; `exit_code` is what the program returns."""

    exit_code = 1


class ProcessingError(CalwebbError):
    """The computation could not be completed although the input was accepted (exit code 1)."""

    exit_code = 1


class InputError(CalwebbError):
    """The user's input file or options are wrong (exit code 2)."""

    exit_code = 2


class ReferenceFileError(CalwebbError):
    """A reference file is missing, unreadable or does not fit the exposure (exit code 3)."""

    exit_code = 3
