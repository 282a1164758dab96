"""From count rates of spectra to combined spectra or light curves, pictures and summary."""

from pathlib import Path

from determinism.associated import associations, choose, exposure_of
from determinism.circumstances import Call
from determinism.kinds import Kind

# a product, and the spectra that its picture shows the apertures of
DRAWN = (
    ("spec2/*_s2d.fits", "_x1d.fits"),
    ("spec2/*_cal.fits", ""),
    ("spec2/*_calints.fits", "_x1dints.fits"),
    ("spec3/*_s2d.fits", "_x1d.fits"),
    ("spec3/*_x1d.fits", ""),
    ("tso3/*_x1dints.fits", ""),
    ("tso3/*_whtlt.ecsv", ""),
)


def run_spectra(call: Call, kind: Kind, data: Path, results: Path) -> None:
    """Run every program that count rates of a kind can go through."""
    rates = data / "rates"
    call("calwebb-pool", rates, "-o", results / "pool.csv")
    call("calwebb-associate", rates, "--output-dir", results / "associations")
    for association in associations(results, "spec2"):
        exposure = exposure_of(association)
        (rate,) = rates.glob(f"{exposure}_rate*.fits")
        call("calwebb-spec2", "run", association, "--input-dir", rates,
             "--references", choose(call, rate, "calwebb-spec2", results, exposure),
             "--output-dir", results / "spec2")  # fmt: skip
    stage = kind.program.removeprefix("calwebb-")
    for association in associations(results, stage):
        chosen = choose(call, min(rates.glob("*_rate*.fits")), kind.program, results)
        call(kind.program, "run", association, "--input-dir", results / "spec2",
             "--references", chosen, "--output-dir", results / stage)  # fmt: skip
    pictures(call, results)
    call("calwebb-report", results, "-o", results / "report" / "summary.html")


def pictures(call: Call, results: Path) -> None:
    """Draw a product of each kind that there is."""
    for pattern, spectra in DRAWN:
        for product in sorted(results.glob(pattern))[:1]:
            stem = product.name.removesuffix(product.suffix)
            beside = product.with_name(f"{stem.rpartition('_')[0]}{spectra}")
            more = ["--spectra", beside] if spectra else []
            target = results / "quicklook" / f"{product.parent.name}_{stem}.png"
            call("calwebb-quicklook", product, *more, "-o", target)
