"""The association of calibrated images that were simulated without a workflow."""

import json
from pathlib import Path


def write_association(folder: Path, product: str) -> Path:
    """Write the association of all calibrated exposures of a folder.

    Parameters
    ----------
    folder : with the exposures in `cal`
    product : name of the mosaic, such as jw01518-o001_t001_nircam_clear-f277w
    """
    members = [
        {"expname": path.name, "exptype": "science"}
        for path in sorted((folder / "cal").glob("*_cal.fits"))
    ]
    content = {
        "asn_type": "image3",
        "asn_rule": "Asn_Lv3Image",
        "asn_id": "o001",
        "asn_pool": "none",
        "program": product[2:7],
        "products": [{"name": product, "members": members}],
    }
    path = folder / "cal" / "image3_asn.json"
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path
