"""Parts of a long exposure: each segment is a file of its own with some of the integrations."""

from dataclasses import dataclass

from calwebb_core.framework.errors import InputError


@dataclass(frozen=True)
class Segment:
    """Some consecutive integrations of an exposure.

    Attributes
    ----------
    number, total : int
        Which of how many segments, from 1 (EXSEGNUM, EXSEGTOT).
    first : int
        Its first integration, from 0.
    count : int
        How many integrations it holds.
    """

    number: int
    total: int
    first: int
    count: int

    @property
    def label(self) -> str | None:
        """Three digits for a file name, or None where the exposure is in one piece."""
        return f"{self.number:03d}" if self.total > 1 else None

    @property
    def integrations(self) -> range:
        """The numbers of its integrations in the exposure, from 0."""
        return range(self.first, self.first + self.count)


def cut_exposure(integrations: int, segments: int) -> tuple[Segment, ...]:
    """Cut an exposure into segments as even as can be; the earlier ones are the longer ones.

    Raises
    ------
    InputError
        If there are more segments than integrations.
    """
    if not 1 <= segments <= integrations:
        msg = f"segments is {segments}; expected 1 to {integrations}, the number of integrations"
        raise InputError(msg)
    size, longer = divmod(integrations, segments)
    found, first = [], 0
    for index in range(segments):
        count = size + (index < longer)
        found.append(Segment(index + 1, segments, first, count))
        first += count
    return tuple(found)
