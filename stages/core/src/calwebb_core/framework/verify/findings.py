"""What a verification finds: one sentence a cause, and the same for machines."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

IDENTICAL, DIFFERS, IMPOSSIBLE = "identical", "differs", "not verified"
EXIT_CODES = {IDENTICAL: 0, DIFFERS: 1, IMPOSSIBLE: 2}
# Findings with which a product cannot be made again at all.
BLOCKING = (
    "hook",
    "input missing",
    "not a product",
    "not made again",
    "program missing",
    "reference missing",
)


@dataclass(frozen=True)
class Finding:
    """One cause or difference: its kind, a sentence, and the values in it."""

    kind: str
    text: str
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def blocks(self) -> bool:
        """Whether the product cannot be made again because of it."""
        return self.kind in BLOCKING


@dataclass
class Verdict:
    """What came out for one product.

    Attributes
    ----------
    product : Path
    program : str
        Which program was run to make it again; empty if none.
    findings : list of Finding
        Empty if it is identical.
    notes : list of str
        What else there is to say.
    seconds : float
        How long it took to make it again.
    """

    product: Path
    program: str = ""
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def state(self) -> str:
        """`identical`, `differs` or `not verified`."""
        if not self.findings:
            return IDENTICAL
        changed = any(item.kind.endswith("changed") for item in self.findings)
        blocked = any(item.blocks for item in self.findings)
        return IMPOSSIBLE if blocked and not changed else DIFFERS

    def plain(self) -> dict[str, Any]:
        """Return it for a report."""
        return {
            "product": str(self.product),
            "state": self.state,
            "program": self.program,
            "seconds": round(self.seconds, 2),
            "findings": [
                {"kind": item.kind, "text": item.text, **item.details} for item in self.findings
            ],
            "notes": self.notes,
        }


def short(checksum: str | None) -> str:
    """Return the beginning of a checksum."""
    return f"{checksum[:12]}..." if checksum else "none"
