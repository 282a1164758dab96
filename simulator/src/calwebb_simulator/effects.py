"""The effects that the simulator can switch on and off one by one."""

from collections.abc import Iterable

from calwebb_core.framework.errors import InputError

EFFECTS = {
    "bias": "pattern of the bias; without it the bias is the same everywhere",
    "drift": "amplifiers and odd and even columns drift from group to group",
    "one_over_f": "correlated noise along the readout",
    "read_noise": "white noise of every read",
    "photon_noise": "Poisson noise of light and dark current",
    "nonlinearity": "pixels respond less the fuller they are",
    "saturation": "pixels hold no more than their full well",
    "dark": "dark current, with hot and warm pixels",
    "dead_pixels": "pixels that see nothing",
    "flat": "pixels differ in sensitivity",
    "gain": "pixels and amplifiers differ in gain; without it the gain is the same everywhere",
    "cosmic_rays": "tracks of cosmic rays",
    "ipc": "capacitive coupling of neighbouring pixels",
}
OFF_BY_DEFAULT = frozenset({"ipc"})
ALL_EFFECTS = frozenset(EFFECTS)
DEFAULT_EFFECTS = ALL_EFFECTS - OFF_BY_DEFAULT


def chosen_effects(
    off: Iterable[str] = (), on: Iterable[str] = (), only: Iterable[str] | None = None
) -> frozenset[str]:
    """Return the effects to simulate.

    Parameters
    ----------
    off, on : iterable of str
        Taken from or added to the default ones.
    only : iterable of str, optional
        Just these, and `on`, instead of the default ones.

    Raises
    ------
    InputError
        If one is unknown.
    """
    groups = [frozenset(names) for names in (off, on, only or ())]
    unknown = sorted(frozenset().union(*groups) - ALL_EFFECTS)
    if unknown:
        msg = f"unknown effect {', '.join(unknown)}; there are {', '.join(EFFECTS)}"
        raise InputError(msg)
    start = DEFAULT_EFFECTS if only is None else groups[2]
    return frozenset((start | groups[1]) - groups[0])
