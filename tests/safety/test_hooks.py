"""Code to run comes from the user's command line and files of options, never with the data."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from astropy.io import fits

from calwebb_core.framework.products import read_image, write_image

from .process import run

COMMAND = "touch hacked"
PARS = """#ASDF 1.0.0
%YAML 1.1
%TAG ! tag:stsci.edu:asdf/
--- !core/asdf-1.1.0
class: jwst.dq_init.DQInitStep
name: dq_init
pre_hooks: ['touch hacked']
hooks: &h ['touch hacked', 'os:getcwd', !!python/object/apply:os.system ['touch hacked']]
parameters: {skip: false, pre_hooks: *h, post_hooks: *h}
meta: {reftype: pars-dqinitstep, telescope: JWST, instrument: {name: NIRCAM}}
steps:
- {name: dq_init, pre_hooks: *h, parameters: {post_hooks: *h, pre_hooks: *h}}
...
"""


@pytest.fixture(scope="module")
def exposure(tiny, tmp_path_factory):
    """A raw exposure, its list of references and the count rates that were made of it."""
    folder = tmp_path_factory.mktemp("exposure")
    raw = folder / sorted((tiny / "uncal").iterdir())[0].name
    shutil.copy(sorted((tiny / "uncal").iterdir())[0], raw)
    references = folder / "references.json"
    words = ["calwebb-references", raw, "--pipeline", "calwebb-detector1", "-o", references]
    run(words, cwd=folder, CRDS_PATH=str(tiny / "crds_cache"))
    detector1(folder, raw, references)
    (product,) = folder.glob("*_rate.fits")
    return folder, raw, references, product


def detector1(folder, raw, references, *words):
    """Run the first steps; a module in the working folder lies in wait to be imported."""
    (folder / "evil.py").write_text("open('hacked', 'w')\n")
    command = ["calwebb-detector1", "run", raw, "--references", references]
    return run([*command, "--output-dir", folder, "-q", *words], cwd=folder)


def test_hooks_of_the_command_line_run(exposure, tmp_path):
    _, raw, references, _ = exposure
    words = ("--stop-after", "dq_init", "--post-hook", f"dq_init={COMMAND}")
    detector1(tmp_path, raw, references, *words)
    assert (tmp_path / "hacked").exists()


def test_keywords_and_trees_name_no_code(exposure, tmp_path):
    _, raw, references, _ = exposure
    mine = tmp_path / raw.name
    shutil.copy(raw, mine)
    with fits.open(mine, mode="update", memmap=False) as hdus:
        for number, word in enumerate(("PREHOOK", "POSTHOOK", "HOOKS", "PRE_HOOK")):
            hdus[0].header[word] = (f"dq_init={COMMAND}", "evil:main")
            hdus[1].header[f"HOOK{number}"] = COMMAND
        hdus[0].header["CAL_STEP"] = "$(touch hacked)`touch hacked`"
        tree = PARS.encode()
        column = fits.Column("ASDF_METADATA", f"{len(tree)}B", array=[list(tree)])
        hdus.append(fits.BinTableHDU.from_columns([column], name="ASDF"))
    detector1(tmp_path, mine, references, "--stop-after", "dq_init")
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize("kind", ["pars-dqinitstep", "pars-detector1pipeline"])
def test_options_of_crds_name_no_code(exposure, tmp_path, kind):
    _, raw, references, _ = exposure
    pars = tmp_path / "jwst_nircam_pars.asdf"
    pars.write_text(PARS.replace("!!python/object/apply:os.system", ""))
    content = json.loads(references.read_text())
    content["references"][kind] = {"name": pars.name, "path": str(pars)}
    (tmp_path / "mine.json").write_text(json.dumps(content))
    done = detector1(tmp_path, raw, tmp_path / "mine.json", "--stop-after", "dq_init")
    assert "only the user may name code to run" in done.stderr
    assert not (tmp_path / "hacked").exists()


def test_associations_name_no_code(exposure, tmp_path):
    _, _, _, product = exposure
    shutil.copy(product, tmp_path)
    hooks = {"pre_hooks": [COMMAND], "post_hooks": {"assign_wcs": [COMMAND, "evil:main"]}}
    member = {"expname": product.name, "exptype": "science", "hooks": hooks, **hooks}
    products = [{"name": product.stem.removesuffix("_rate"), "members": [member], **hooks}]
    content = {"asn_type": "image2", "asn_rule": COMMAND, "products": products, **hooks}
    (tmp_path / "x_asn.json").write_text(json.dumps(content | {"hooks": hooks}))
    words = ["--stop-after", "bkg_subtract", "--output-dir", tmp_path, "-q"]
    run(["calwebb-image2", "run", tmp_path / "x_asn.json", *words], cwd=tmp_path, check=False)
    assert not (tmp_path / "hacked").exists()


def step(**changes):
    """Return a change of the record's second step."""
    return lambda run: run["steps"][1].update(changes)


def option(**options):
    return lambda run: run["steps"][1]["parameters"].update(options)


def only(name):
    """Return a change that leaves one step, of a name."""

    def change(run):
        run["steps"] = [{"name": name, "status": "COMPLETE", "parameters": {}}]

    return change


RECORDS = {
    "hooks among the options": (option(post_hooks=[COMMAND]), "option 'post_hooks' of"),
    "a module among the options": (option(pre_hooks="evil:main"), "option 'pre_hooks' of"),
    "a switch among the options": (option(save=True), "option 'save' of"),
    "an option that is a command": (option(**{"$(touch hacked)": 1}), "option '$(touch hacked)'"),
    "a path": (option(user_mask="/etc/passwd"), "user_mask = '/etc/passwd'"),
    "a path in a list": (option(x=[1, ["../y"]]), "x = [1, ['../y']]"),
    "a file elsewhere": (option(x={"name": "../y", "sha256": "0"}), "x = {'name': '../y'"),
    "a file of no name": (option(x={"touch": "hacked"}), "x = {'touch': 'hacked'}"),
    "options that are a text": (step(parameters=COMMAND), "a name and options"),
    "a step that is an option": (only(f"--post-hook=dq_init={COMMAND}"), "step '--post-hook"),
    "a step of several words": (only("dq_init --post-hook"), "step 'dq_init --post-hook'"),
    "a step with a line break": (step(name="dq_init\n"), "step 'dq_init"),
    "hooks that are no texts": (step(pre_hooks=COMMAND), "pre_hooks of"),
    "a shell": (lambda run: run.update(program="/bin/sh"), "was made by '/bin/sh'"),
    "two programs": (
        lambda run: run.update(program=f"calwebb-detector1; {COMMAND}"), "was made by"),
    "an option for a program": (lambda run: run.update(program="--version"), "was made by"),
    "an input elsewhere": (lambda run: run["input"].update(name="../../x"), "names '../../x'"),
    "an input with a line break": (lambda run: run["input"].update(name="x\ny"), "without folder"),
    "members that are a number": (lambda run: run["input"].update(members=3), "names None"),
    "a reference elsewhere": (
        lambda run: run["references"].update(gain={"name": "/etc/passwd"}), "names '/etc/passwd'"),
    "hooks of the one who made it": (
        step(post_hooks=[COMMAND, "evil:main"]), "it cannot be made again without"),
}  # fmt: skip
# These are made again, and found not to be what they say.
MADE_AGAIN = {
    "another reference type": (
        lambda run: run["references"].update({f"gain=N/A --post-hook={COMMAND}": {"name": "N/A"}})
    ),
    "a context that is a command": lambda run: run.update(context=f"$({COMMAND})"),
    "another address": option(abs_service="https://example.org/tap"),
}  # fmt: skip


@pytest.fixture
def verified(exposure, tiny, tmp_path):
    """A function that verifies copies of a product whose records are changed."""
    folder, _, references, product = exposure
    work, watched = tmp_path / "work", tmp_path / "bin"
    watched.mkdir()
    for name in ("sh", "touch"):  # what a shell would find first
        (watched / name).write_text(f"#!/bin/sh\n/usr/bin/touch {tmp_path}/hacked\n")
        (watched / name).chmod(0o755)

    def verify(changes):
        for case, change in changes.items():
            (work / case).mkdir(parents=True)
            image = read_image(product)
            change(image.metadata.provenance["runs"][-1])
            write_image(image, work / case / product.name)
        (work / "evil.py").write_text("open('hacked', 'w')\n")
        done = run(
            ["calwebb-verify", "--input-dir", folder, "--references", references,
             *(f"{case}/{product.name}" for case in changes)],
            cwd=work, check=False, CRDS_PATH=str(tiny / "crds_cache"),
            PATH=f"{watched}{os.pathsep}{os.environ['PATH']}",
        )  # fmt: skip
        assert ": error: " not in done.stderr
        assert "Traceback" not in done.stderr
        assert not list(tmp_path.rglob("hacked*"))
        left = {path.relative_to(work) for path in work.rglob("*") if path.is_file()}
        assert left == {Path("evil.py"), *(Path(case, product.name) for case in changes)}
        blocks = re.split(rf"^(\S.*)/{product.name}: ", done.stdout, flags=re.MULTILINE)[1:]
        return done.returncode, dict(zip(blocks[::2], blocks[1::2], strict=True))

    return verify


def test_what_no_program_records_is_refused(verified):
    code, said = verified({case: change for case, (change, _) in RECORDS.items()})
    assert code == 2
    for case, (_, sentence) in RECORDS.items():
        assert said[case].startswith("not verified"), case
        assert sentence in said[case], case


@pytest.mark.slow
def test_verification_runs_our_programs_only(verified):
    code, said = verified(MADE_AGAIN)
    assert code in (1, 2)
    assert said.keys() == MADE_AGAIN.keys()
