"""Settings of all tests of the repository."""

import hypothesis

# Examples may take as long as a busy machine needs: times are measured by the benchmarks.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
