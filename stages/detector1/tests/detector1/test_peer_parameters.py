"""Files of options as the official package writes them are understood, and mean what ours mean."""

import os
import shutil
import subprocess

import pytest

from calwebb_core.framework.crds_parameters import options_for
from calwebb_core.framework.parameters import options_of
from calwebb_detector1 import dark, guider, pipeline

pytestmark = pytest.mark.peer

CODE = """
import os, sys
os.environ["STPIPE_DISABLE_CRDS_STEPPARS"] = "true"
from jwst import pipeline
for name in sys.argv[1:]:
    getattr(pipeline, name)().export_config(f"pars-{name.lower()}.asdf", include_metadata=True)
"""
PIPELINES = {
    "Detector1Pipeline": pipeline.PIPELINE,
    "DarkPipeline": dark.PIPELINE,
    "GuiderPipeline": guider.PIPELINE,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder with the default options of the official pipelines."""
    python = os.environ.get("CALWEBB_PEER_PYTHON", "")
    if not python or shutil.which(python) is None:
        pytest.skip("the official package is absent (set CALWEBB_PEER_PYTHON)")
    place = tmp_path_factory.mktemp("pars")
    subprocess.run(
        [python, "-c", CODE, *PIPELINES], cwd=place, check=True, capture_output=True, text=True
    )
    return place


@pytest.mark.parametrize("name", PIPELINES)
def test_default_options_are_ours(folder, name):
    own = PIPELINES[name]
    kind = f"pars-{name.lower()}"
    layer, unknown = options_for(kind, folder / f"{kind}.asdf", own.steps)
    assert unknown == []
    assert set(layer) == {step.name for step in own.steps}
    for step in own.steps:
        given = layer[step.name]
        skip = given.pop("skip")
        # turned off in operations by CRDS only
        assert skip == step.skip or step.name == "ipc"
        defaults = {key: item.default for key, item in options_of(step.parameters).items()}
        # names of optional products: none there, empty here
        found = {key: value for key, value in given.items() if value not in (None, "")}
        assert found == {key: defaults[key] for key in found}, step.name
