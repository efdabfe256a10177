"""Log-mel features of sound, the same as `src/engine/face/mel.rs` computes.

One vector of 40 numbers every 10 ms. Vector k looks at the 25 ms of sound that
are centred on 10 k + 5 ms, so that vectors 4 n to 4 n + 3 belong to picture n
of 25 a second.
"""

import numpy as np

RATE = 16_000
STEP = 0.010
WINDOW = 0.025
BANDS = 40
LOW, HIGH = 60.0, 7600.0
# Added to each band's power before the logarithm: what counts as silence (full scale is 1).
FLOOR = 1e-7


def _mel(hertz):
    return 2595 * np.log10(1 + hertz / 700)


def filters(rate, fft):
    """Triangles on the mel scale with peak 1: [BANDS, fft / 2 + 1]."""
    edges = np.linspace(_mel(LOW), _mel(HIGH), BANDS + 2)
    edges = 700 * (10 ** (edges / 2595) - 1)
    at = np.arange(fft // 2 + 1) * rate / fft
    rise = (at - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - at) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0, np.minimum(rise, fall))


def band_power(sound, rate=RATE):
    """Power in each band: sound [samples] of full scale 1 to [steps, BANDS]. Silence surrounds the sound."""
    size = int(round(WINDOW * rate))
    fft = 1 << (size - 1).bit_length()
    window = np.hanning(size + 1)[:size]
    steps = int(len(sound) / rate / STEP)
    padded = np.concatenate([np.zeros(size), sound, np.zeros(size)])
    starts = [size + int(round((k + 0.5) * STEP * rate)) - size // 2 for k in range(steps)]
    frames = np.stack([padded[s:s + size] for s in starts]) if starts else np.zeros((0, size))
    power = np.abs(np.fft.rfft(frames * window, fft)) ** 2
    # One-sided power, independent of the rate and of the length of the transform.
    return power @ filters(rate, fft).T * (2 / (fft * np.sum(window**2)))


def log_mel(sound, rate=RATE):
    """ln(band power + FLOOR), float32 [steps, BANDS]."""
    return np.log(band_power(sound, rate) + FLOOR).astype(np.float32)
