"""Log-mel features exactly as sherpa-onnx computes them for NeMo CTC models (and `src/engine/mel.rs` in Rust).

16 kHz mono in -1..1; windows of 400 samples every 160, mirrored at both ends; pre-emphasis 0.97 inside the
window; periodic Hann window; power spectrum of 512 points; 80 Slaney mel bands from 0 to 8000 Hz with area
norm; natural logarithm; then each band normalised to zero mean and unit deviation over the utterance.
"""

import numpy as np

RATE = 16000
WINDOW = 400
HOP = 160
POINTS = 512
BANDS = 80


def _mel(hertz):
    hertz = np.asarray(hertz, dtype=np.float64)
    linear = hertz * 3 / 200
    return np.where(hertz < 1000, linear, 15 + np.log(np.maximum(hertz, 1e-9) / 1000) / (np.log(6.4) / 27))


def _hertz(mel):
    mel = np.asarray(mel, dtype=np.float64)
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def filters():
    """Mel filters, shape (BANDS, POINTS / 2 + 1)."""
    edges = _hertz(np.linspace(_mel(0.0), _mel(RATE / 2), BANDS + 2))
    bins = np.arange(POINTS // 2 + 1) * RATE / POINTS
    rise = (bins[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins[None]) / (edges[2:] - edges[1:-1])[:, None]
    area = 2.0 / (edges[2:] - edges[:-2])
    return (np.maximum(0, np.minimum(rise, fall)) * area[:, None]).astype(np.float32)


_FILTERS = filters()
_HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)


def log_mel(samples):
    """Log-mel energies, shape (frames, BANDS), of float samples at 16 kHz; frames = round(samples / 160)."""
    samples = np.asarray(samples, dtype=np.float32)
    count = (len(samples) + HOP // 2) // HOP
    if count == 0:
        return np.zeros((0, BANDS), np.float32)
    first = HOP // 2 - WINDOW // 2
    index = first + np.arange(count)[:, None] * HOP + np.arange(WINDOW)[None]
    # Mirror at the ends, again and again for inputs shorter than a window.
    period = 2 * len(samples)
    index = np.mod(index, period)
    index = np.where(index >= len(samples), period - 1 - index, index)
    frames = samples[index]
    emphasised = frames.copy()
    emphasised[:, 1:] -= 0.97 * frames[:, :-1]
    emphasised[:, 0] -= 0.97 * frames[:, 0]
    spectrum = np.fft.rfft(emphasised * _HANN, POINTS)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    return np.log(np.maximum(power @ _FILTERS.T, np.finfo(np.float32).eps))


def normalise(features):
    """Each band to mean 0 and deviation 1 over the utterance."""
    mean = features.mean(axis=0, keepdims=True)
    deviation = features.std(axis=0, keepdims=True)
    return (features - mean) / (deviation + 1e-5)
