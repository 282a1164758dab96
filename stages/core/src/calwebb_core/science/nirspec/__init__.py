"""The parametric model of NIRSpec: Dorner et al. 2016 (A&A 592, A113)."""
