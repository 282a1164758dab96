"""Options of jump for snowballs and showers."""

from dataclasses import dataclass

from calwebb_core.framework.parameters import option


@dataclass(frozen=True)
class SnowballOptions:
    """Large events of near-infrared detectors."""

    expand_large_events: bool = option(False, "look for snowballs (near-infrared detectors)")
    min_sat_area: float = option(
        1.0, "newly saturated regions of this area may be cores", minimum=0.0, unit="pixels"
    )
    min_jump_area: float = option(
        5.0, "regions of jumps of this area may be snowballs", minimum=0.0, unit="pixels"
    )
    expand_factor: float = option(
        2.0, "flag a snowball's ellipse enlarged by this factor of its minor axis", minimum=0.0
    )
    sat_required_snowball: bool = option(
        True, "only regions with a saturated core, or near the edge, are snowballs"
    )
    min_sat_radius_extend: float = option(
        2.5, "enlarge cores wider than this (full minor axis)", minimum=0.0, unit="pixels"
    )
    sat_expand: int = option(
        2, "enlarge the radius of saturated cores by this", minimum=0, unit="pixels"
    )
    edge_size: int = option(
        25, "nearer to the edge than this, snowballs need no core", minimum=0, unit="pixels"
    )
    mask_snowball_core_next_int: bool = option(
        True, "flag cores as jumps at the start of the next integration"
    )
    snowball_time_masked_next_int: int = option(4000, "for this long", minimum=0, unit="s")
    max_extended_radius: int = option(
        200, "ellipses of snowballs and showers are not made larger", minimum=0, unit="pixels"
    )


@dataclass(frozen=True)
class ShowerOptions:
    """Large events of MIRI."""

    find_showers: bool = option(False, "look for showers (MIRI)")
    max_shower_amplitude: float = option(
        4.0, "no flags where they change the rate by more: showers are faint", minimum=0.0,
        unit="DN/s",
    )  # fmt: skip
    extend_snr_threshold: float = option(
        1.2, "limit for the mean deviation in a ring around a pixel", minimum=0.0, unit="sigma"
    )
    extend_min_area: int = option(
        90, "regions of this area above the limit are showers", minimum=0, unit="pixels"
    )
    extend_inner_radius: float = option(1.0, "inner radius of the ring", minimum=0.0, unit="pixels")
    extend_outer_radius: float = option(
        2.6, "width of the ring outside of its inner radius", minimum=0.0, unit="pixels"
    )
    extend_ellipse_expand_ratio: float = option(
        1.1, "flag a shower's ellipse enlarged by this factor of its minor axis", minimum=0.0
    )
    time_masked_after_shower: float = option(
        15.0, "flag the groups after a shower for this long", minimum=0.0, unit="s"
    )


@dataclass(frozen=True)
class LargeEventOptions(ShowerOptions, SnowballOptions):
    """Options of snowballs, then of showers."""
