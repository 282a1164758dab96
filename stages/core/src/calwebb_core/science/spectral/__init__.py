"""What several stages share about spectra: wavelengths, extraction, rectification."""
