"""Put the JSON-LD contexts of research objects into the validator's cache: no network is needed.

Run by the Python of the validator's environment: `python contexts.py CACHE`. A context of RO-Crate
comes with the library, a later one: terms about workflows had other addresses in 1.1. Of the terms
about runs those stand here that research objects use.
"""

import json
import sys
from importlib.resources import files
from io import BytesIO

from requests import Response
from requests.adapters import BaseAdapter
from requests_cache import CachedSession
from urllib3 import HTTPResponse

TERMS = "https://w3id.org/ro/terms/workflow-run#"
BIOSCHEMAS = "https://bioschemas.org/"
WORKFLOWS = {
    "ComputationalWorkflow": BIOSCHEMAS + "ComputationalWorkflow",
    "FormalParameter": BIOSCHEMAS + "FormalParameter",
    "input": BIOSCHEMAS + "ComputationalWorkflow#input",
    "output": BIOSCHEMAS + "ComputationalWorkflow#output",
}
OWN = ("ContainerImage", "SIFImage", "containerImage", "environment", "sha256")


def contexts() -> dict[str, bytes]:
    """Return the contexts by address."""
    terms = {"@context": {name: TERMS + name for name in OWN}}
    crate = json.loads(files("rocrate").joinpath("data", "ro-crate.jsonld").read_bytes())
    crate["@context"] |= WORKFLOWS
    return {
        "https://w3id.org/ro/crate/1.1/context": json.dumps(crate).encode(),
        "https://w3id.org/ro/terms/workflow-run/context": json.dumps(terms).encode(),
    }


class Bundled(BaseAdapter):
    """Answers with the contexts."""

    def send(self, request, **_options):
        """Return the context of an address."""
        response = Response()
        response.status_code = 200
        response.url, response.request = request.url, request
        response.headers["Content-Type"] = "application/ld+json"
        body = BytesIO(contexts()[request.url])
        response.raw = HTTPResponse(body, preload_content=False, request_url=request.url)
        return response

    def close(self):
        """Do nothing: there is no connection."""


def main(cache: str) -> None:
    """Write the cache."""
    session = CachedSession(cache_name=cache, backend="sqlite", expire_after=-1)
    session.mount("https://", Bundled())
    for address in contexts():
        # as the validator asks, whose headers are part of the key
        for accept in ("application/ld+json", "application/ld+json, application/json", "*/*"):
            session.get(address, headers={"Accept": accept})


if __name__ == "__main__":
    main(sys.argv[1])
