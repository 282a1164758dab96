"""A record as stage programs write it, and an image to write it in."""

from typing import Any

import numpy as np

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image

RUN: dict[str, Any] = {
    "program": "calwebb-image2",
    "pipeline": "calwebb_image2",
    "software": {"calwebb_core": "0.1.0", "calwebb_image2": "0.1.0", "numpy": "2.4.6"},
    "environment": {"lock": "a" * 64},
    "input": {
        "name": "x_asn.json",
        "sha256": "1" * 64,
        "members": [{"name": "x_rate.fits", "sha256": "2" * 64}],
    },
    "steps": [
        {"name": "flat_field", "status": "COMPLETE", "parameters": {"inverse": False}},
        {"name": "photom", "status": "SKIPPED", "reason": "left out as asked"},
        {
            "name": "resample",
            "status": "COMPLETE",
            "off_by_default": True,
            "parameters": {"pixfrac": 1.0, "kernel": "square"},
        },
    ],
    "references": {
        "area": {"name": "N/A", "sha256": ""},
        "flat": {"name": "jwst_flat.fits", "sha256": "3" * 64},
    },
    "context": "jwst_0001.pmap",
    "crds_version": "14.0.3",
}


def record() -> dict[str, Any]:
    """Return the record of a product that has been through one program."""
    return {"format": 1, "runs": [RUN]}


def sample_image() -> Image:
    """Return a calibrated image."""
    rng = np.random.default_rng(9)
    metadata = Metadata({"INSTRUME": "NIRCAM", "TARGPROP": "FIELD", "BUNIT": "MJy/sr"}, "x.fits")
    data, area = (rng.normal(1, 0.1, (6, 8)).astype(np.float32) for _ in range(2))
    dq = rng.integers(0, 2**32, (6, 8), dtype=np.uint32)
    return Image(metadata, data, np.full_like(data, 0.5), dq, area=area)
