"""Loops of the outlier detection: median of a stack, and the test of an image against it."""

import numpy as np
from numba import njit

from calwebb_core.science.kernels.order_statistics import median_of, select

# Larger stacks are sorted pixel by pixel, smaller ones whole rows at a time.
LARGEST_NETWORK = 64
# Pixels around a place that its interpolation looks at.
REACH = 3


@njit(cache=True, nogil=True, error_model="numpy")
def take_layer(layer, weight, least, variance, count):
    """Make a drizzled layer's pixels of too little weight unknown, and add up their variance.

    Parameters
    ----------
    layer : float32, (ny, nx)
        Changed: NaN where the weight is not above the least.
    weight : float32, (ny, nx)
    least : float
    variance : float32, (ny, nx)
        Added to: 1 / weight.
    count : float32, (ny, nx)
        Added to: 1 where it is known.
    """
    limit, one = np.float32(least), np.float32(1)
    for y in range(layer.shape[0]):
        for x in range(layer.shape[1]):
            w = weight[y, x]
            if w > limit:
                variance[y, x] += one / w
                count[y, x] += one
            else:
                layer[y, x] = np.float32(np.nan)


@njit(cache=True, nogil=True, error_model="numpy")
def sort_rows(stack, y):
    """Sort a row of every pixel of a stack by odd-even transposition (no NaN)."""
    n = stack.shape[0]
    for turn in range(n):
        for k in range(turn % 2, n - 1, 2):
            low, high = stack[k, y], stack[k + 1, y]
            for x in range(low.shape[0]):
                a, b = low[x], high[x]
                low[x] = a if a < b else b
                high[x] = b if a < b else a


@njit(cache=True, nogil=True, error_model="numpy")
def median_stack(stack, noise, patience, out):
    """Take the median over images, ignoring NaN.

    Of two middle values that differ by more than the noise explains the lower one counts: their
    mean would carry half of a cosmic ray into both tests.

    Parameters
    ----------
    stack : float32, (n, ny, nx)
        Changed.
    noise : float32, (ny, nx)
        Difference of two values that noise doesn't explain; infinite to take the mean always.
    patience : float
        Of more than two values the middle ones may differ by so many times this.
    out : float32, (ny, nx)
        NaN where there is no value.
    """
    n, ny, nx = stack.shape
    counts = np.empty(nx, np.int32)
    values = np.empty(n, np.float32)
    infinite, half = np.float32(np.inf), np.float32(0.5)
    one, more = np.float32(1), np.float32(patience)
    for y in range(ny):
        counts[:] = 0
        for k in range(n):
            line = stack[k, y]
            for x in range(nx):
                known = not np.isnan(line[x])
                counts[x] += known
                line[x] = line[x] if known else infinite
        if n <= LARGEST_NETWORK:
            sort_rows(stack, y)
        for x in range(nx):
            count = counts[x]
            if count == 0:
                out[y, x] = np.float32(np.nan)
                continue
            if n <= LARGEST_NETWORK:
                low, high = stack[(count - 1) // 2, y, x], stack[count // 2, y, x]
            else:
                values[:] = stack[:, y, x]
                low = select(values, n, (count - 1) // 2)
                high = select(values, n, count // 2)
            limit = noise[y, x] * (one if count == 2 else more)
            out[y, x] = low if high - low > limit else half * (low + high)


@njit(cache=True, nogil=True, error_model="numpy")
def pad_row(model, y, out):
    """Copy a row of an image, mirrored at all edges by one pixel."""
    ny, nx = model.shape
    y = abs(y) if y < ny else ny - 2
    row = model[min(max(y, 0), ny - 1)]
    out[1:-1] = row
    out[0], out[-1] = row[min(1, nx - 1)], row[max(nx - 2, 0)]


@njit(cache=True, nogil=True, error_model="numpy")
def fill_neighbours(below, row, above, slope, bend):
    """Write the steepest slope and the Laplacian of a row.

    Of an unknown neighbour the opposite one takes the place, or the pixel itself.

    Parameters
    ----------
    below, row, above : float32, (nx + 2,)
        From `pad_row`.
    slope : float32, (nx,)
        Written: largest absolute difference to the four neighbours.
    bend : float32, (nx,)
        Written: sum of the differences.
    """
    for x in range(slope.shape[0]):
        centre = row[x + 1]
        left, right = row[x] - centre, row[x + 2] - centre
        down, up = below[x + 1] - centre, above[x + 1] - centre
        left = right if np.isnan(left) else left
        right = left if np.isnan(right) else right
        down = up if np.isnan(down) else down
        up = down if np.isnan(up) else up
        flat, steep = left + right, down + up
        flat = np.float32(0) if np.isnan(flat) else flat
        steep = np.float32(0) if np.isnan(steep) else steep
        bend[x] = flat + steep
        largest = np.float32(0)
        for difference in (abs(left), abs(right), abs(down), abs(up)):
            largest = difference if difference > largest else largest
        slope[x] = largest


@njit(cache=True, nogil=True, error_model="numpy")
def sharpen_more(model, y, bend):
    """Double the Laplacian next to unknown pixels, where the model is interpolated linearly."""
    ny, nx = model.shape
    row, low, high = model[y], model[max(y - REACH, 0)], model[min(y + REACH, ny - 1)]
    for x in range(nx):
        left, right = row[max(x - REACH, 0)], row[min(x + REACH, nx - 1)]
        # NaN if one of them is
        total = (left + right) + (low[x] + high[x])
        bend[x] = np.float32(2) * bend[x] if np.isnan(total) else bend[x]


@njit(cache=True, nogil=True, error_model="numpy")
def usual_slope(model, err, stride):
    """Return the median of slope over noise, from some pixels; 0 if there is none.

    Most pixels of most images are sky, and their slope is the noise of the model.

    Parameters
    ----------
    model, err : float32, (ny, nx)
    stride : int
        Distance of the rows that are looked at, and of the pixels in them.
    """
    ny, nx = model.shape
    found = np.empty((ny // stride + 1) * (nx // stride + 1), np.float32)
    n = 0
    for y in range(stride // 2, ny - 1, stride):
        for x in range(stride // 2, nx - 1, stride):
            if y > 0 and x > 0:
                centre, largest = model[y, x], np.float32(0)
                for v, u in ((y, x - 1), (y, x + 1), (y - 1, x), (y + 1, x)):
                    difference = abs(model[v, u] - centre)
                    largest = difference if difference > largest else largest
                ratio = largest / err[y, x]
                if np.isfinite(ratio) and not np.isnan(centre):
                    found[n] = ratio
                    n += 1
    return median_of(found, n) if n else np.float32(0)


@njit(cache=True, nogil=True, error_model="numpy")
def exceed(data, model, err, limits, first, second):
    """Test every pixel against both limits on its difference to the model.

    Drizzling blurs: the peak of an undersampled star is higher in the data than in the model.
    So the difference is counted from the range between the model and the sharpened model, less
    ``sharpness`` times its Laplacian.

    Parameters
    ----------
    data, model, err : float32, (ny, nx)
    limits : float32, (6,)
        snr and scale of the first pass, snr and scale of the second, sharpness, and the slope
        in units of the noise that the noise of the model explains.
    first, second : uint8, (ny, nx)
        1 where the difference is above ``scale * slope + snr * err``; 0 where one is NaN.

    Returns
    -------
    int
        Pixels that could be tested.
    """
    ny, nx = data.shape
    below, row = np.empty(nx + 2, np.float32), np.empty(nx + 2, np.float32)
    above, slope = np.empty(nx + 2, np.float32), np.empty(nx, np.float32)
    bend = np.empty(nx, np.float32)
    pad_row(model, -1, row)
    pad_row(model, 0, above)
    zero = np.float32(0)
    tested = 0
    for y in range(ny):
        below, row, above = row, above, below
        pad_row(model, y + 1, above)
        fill_neighbours(below, row, above, slope, bend)
        sharpen_more(model, y, bend)
        for x in range(nx):
            seen, value, sigma = model[y, x], data[y, x], err[y, x]
            sharp = seen - limits[4] * bend[x]
            over = value - (sharp if sharp > seen else seen)
            under = (sharp if sharp < seen else seen) - value
            difference = over if over > under else under
            steep = slope[x] - limits[5] * sigma
            steep = steep if steep > zero else zero
            first[y, x] = difference > limits[1] * steep + limits[0] * sigma
            second[y, x] = difference > limits[3] * steep + limits[2] * sigma
            tested += not np.isnan(difference)
    return tested


@njit(cache=True, nogil=True, error_model="numpy")
def near_hits(first, second, hits):
    """Keep the pixels of the second pass that have one of the first among their 3 x 3.

    Parameters
    ----------
    first, second, hits : uint8, (ny, nx)
    """
    ny, nx = first.shape
    hits[:] = 0
    for y in range(ny):
        for x in range(nx):
            if second[y, x]:
                for v in range(max(0, y - 1), min(ny, y + 2)):
                    for u in range(max(0, x - 1), min(nx, x + 2)):
                        hits[y, x] |= first[v, u]
