"""Made fields with flicker noise of a known spectrum."""

import numpy as np

PIXEL_TIME = 1e-5
OVERHEAD = 12


def flicker(seed, nlines, length, *, rms=8.0, outputs=1, common=False):
    """Noise with a 1/f power spectrum in the order of reading, (nlines, length)."""
    rng = np.random.default_rng(seed)
    width = length // outputs
    ticks = nlines * (width + OVERHEAD)
    frequency = np.fft.rfftfreq(ticks, PIXEL_TIME)
    frequency[0] = frequency[1]
    parts = []
    for _ in range(1 if common else outputs):
        waves = rng.normal(size=(2, len(frequency))) / np.sqrt(frequency)
        series = np.fft.irfft(waves[0] + 1j * waves[1], ticks).reshape(nlines, -1)
        parts.append(series[:, :width])
    noise = np.concatenate(parts * (outputs if common else 1), axis=1)
    return ((noise - noise.mean()) * (rms / noise.std())).astype(np.float32)


def scene(seed, ny, nx, *, stars=20, extended=60.0):
    """Stars of known places and fluxes, and one extended source: image, [(y, x, flux)]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:ny, :nx]
    wide = min(ny, nx) / 8
    image = extended * np.exp(-((y - 0.3 * ny) ** 2 + (x - 0.7 * nx) ** 2) / (2 * wide**2))
    places = []
    for cy in np.linspace(12, ny - 12, int(np.sqrt(stars)) + 1):
        for cx in np.linspace(12, nx - 12, int(np.sqrt(stars)) + 1):
            centre = cy + rng.uniform(-2, 2), cx + rng.uniform(-2, 2)
            flux = 10 ** rng.uniform(3, 4.5)
            square = (y - centre[0]) ** 2 + (x - centre[1]) ** 2
            image += flux / (2 * np.pi * 1.5**2) * np.exp(-square / (2 * 1.5**2))
            places.append((*centre, flux))
    return image.astype(np.float32), places


def aperture_flux(image, y, x, radius=4.0):
    """Sum within a radius, above the median of a ring around it."""
    yy, xx = np.indices(image.shape)
    distance = np.hypot(yy - y, xx - x)
    inner, ring = distance <= radius, (distance > 7) & (distance < 10)
    return image[inner].sum() - np.median(image[ring]) * np.count_nonzero(inner)
