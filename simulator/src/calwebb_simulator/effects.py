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
    "reset": "MIRI: the level settles after every reset",
    "rscd": "MIRI: integrations remember the signal of the one before",
    "last_frame": "MIRI: the last frame is read while neighbouring rows are reset",
    "emi": "MIRI: waves of the electronics with a phase locked to the clock",
    "picture_frame": "NIRSpec: a glow along the edges of full frames that comes and goes",
    "bad_reference_pixels": "NIRSpec: wild reference pixels between the others in IRS2 readout",
    "snowballs": "large saturated events of near-infrared detectors, with rings and haloes",
    "showers": "faint diffuse events that cover many pixels and glow for seconds, as in MIRI",
    "persistence": "traps that bright light fills and that let the charge go later",
}
OFF_BY_DEFAULT = frozenset({"ipc", "snowballs", "showers", "persistence", "picture_frame"})
# what differs between integrations of steady light
NOISE = frozenset(
    {
        "photon_noise",
        "read_noise",
        "one_over_f",
        "drift",
        "cosmic_rays",
        "snowballs",
        "showers",
        "persistence",
    }
)
ALL_EFFECTS = frozenset(EFFECTS)
ONLY_IN = {
    "reset": "MIRI",
    "rscd": "MIRI",
    "last_frame": "MIRI",
    "emi": "MIRI",
    "picture_frame": "NIRSPEC",
    "bad_reference_pixels": "NIRSPEC",
}
DEFAULT_EFFECTS = ALL_EFFECTS - OFF_BY_DEFAULT


def effects_in(instrument: str) -> frozenset[str]:
    """Return the effects that an instrument can have."""
    return frozenset(name for name in EFFECTS if ONLY_IN.get(name, instrument) == instrument)


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
