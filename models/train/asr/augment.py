"""What happens to speech between a mouth and the recogniser, drawn anew for every pass, on log-mel energies.

A kiosk hears another throat, another tempo, a room, noise. On the 80 bands all of that costs next to nothing,
so an utterance is synthesised once and never heard twice in the same way. `mel` is (frames, 80), natural
logarithm of power, before normalisation.
"""

from __future__ import annotations

import random

import numpy as np
import scipy.ndimage
import scipy.signal

import features

# Below this the front end does not go: the logarithm of the smallest number it keeps.
FLOOR = float(np.log(np.finfo(np.float32).eps))
# How much ten decibels are in natural logarithms.
TEN_DECIBELS = float(np.log(10.0))


def noise(length, draw, colour=None):
    """Noise of deviation 1: white, pink, brown, hum, or a slow mixture."""
    colour = draw.integers(0, 5) if colour is None else colour
    size = 1 << int(np.ceil(np.log2(max(length, 1024))))
    spectrum = np.fft.rfft(draw.normal(size=size))
    frequency = np.maximum(np.fft.rfftfreq(size, 1 / features.RATE), 20)
    if colour < 3:
        spectrum /= frequency ** (colour * 0.5)
    elif colour == 3:  # ventilation: a broad bump and a floor
        centre, width = draw.uniform(100, 2500), draw.uniform(100, 1000)
        spectrum *= np.exp(-(((frequency - centre) / width) ** 2)) + 0.05
    sound = np.fft.irfft(spectrum)[:length]
    if colour == 4:  # mains hum with its harmonics
        time = np.arange(length) / features.RATE
        base = draw.choice([50, 60])
        sound = 0.3 * sound / (sound.std() + 1e-9)
        for harmonic in range(1, 8):
            sound = sound + draw.uniform(0, 1) / harmonic * np.sin(2 * np.pi * base * harmonic * time + draw.uniform(0, 6))
    if draw.random() < 0.3:  # it comes and goes
        time = np.arange(length) / features.RATE
        sound = sound * (1.1 + np.sin(2 * np.pi * draw.uniform(0.2, 3) * time + draw.uniform(0, 6)))
    return (sound / (sound.std() + 1e-9)).astype(np.float32)


class Augment:
    """Draws the damage. `amount` from 0 (none) to 1 says how much of it."""

    def __init__(self, seed: int, clips: int = 150):
        self.draw = random.Random(seed)
        self.random = np.random.default_rng(seed)
        self.noises = []
        for _ in range(clips):
            clip = noise(8 * features.RATE, self.random) * 0.05
            self.noises.append(features.log_mel(clip).astype(np.float32))

    def throat(self, mel, amount: float):
        """The bands of a longer or shorter vocal tract, its cavities not all by the same measure."""
        bands = mel.shape[1]
        place = np.arange(bands) * (1 + amount * self.draw.uniform(-0.12, 0.12)) + amount * self.draw.uniform(-1.5, 1.5)
        bends = [amount * self.draw.uniform(-2.2, 2.2) for _ in range(5)]
        place = np.maximum.accumulate(place + np.interp(np.arange(bands), np.linspace(0, bands - 1, 5), bends))
        place = np.clip(place, 0, bands - 1.001)
        low = place.astype(int)
        part = (place - low).astype(np.float32)
        return mel[:, low] * (1 - part) + mel[:, low + 1] * part

    def voice(self, mel, amount: float):
        """Sharper or softer resonances (and less of the pitch), and the smoothness of a statistical voice."""
        if self.draw.random() < 0.6:
            smooth = scipy.ndimage.gaussian_filter1d(mel, self.draw.uniform(0.7, 3), axis=1)
            mel = smooth + np.float32(1 + amount * self.draw.uniform(-1, 0.7)) * (mel - smooth)
        if self.draw.random() < 0.3:
            mel = scipy.ndimage.gaussian_filter1d(mel, amount * self.draw.uniform(0.3, 1.4), axis=0)
        return mel

    def rhythm(self, mel, phones, amount: float):
        """Another tempo, and each sound a little longer or shorter for itself."""
        tempo = 1 + amount * self.draw.uniform(-0.2, 0.25)
        starts = np.flatnonzero(np.diff(phones, prepend=256 if len(phones) else 0))
        if len(starts) < len(mel) / 30:  # nobody told the sounds
            starts = np.unique(np.concatenate([[0], np.sort(self.random.integers(0, len(mel), len(mel) // 8))]))
        lengths = np.diff(np.append(starts, len(mel)))
        spread = amount * self.draw.uniform(0, 0.3)
        factors = tempo * np.exp(self.random.normal(0, spread, len(starts)))
        steps = np.repeat(1 / factors, np.maximum(1, np.round(lengths * factors)).astype(int))
        begins = np.repeat(starts, np.maximum(1, np.round(lengths * factors)).astype(int))
        inner = np.concatenate([np.arange(n) for n in np.maximum(1, np.round(lengths * factors)).astype(int)])
        index = np.minimum((begins + inner * steps).astype(int), len(mel) - 1)
        return mel[index], phones[index]

    def room(self, mel, amount: float):
        """Sound that decays for 0.15 to 0.6 s after it was made."""
        keep = 10 ** (-6 * 0.01 / self.draw.uniform(0.15, 0.6))
        wet = amount * self.draw.uniform(0.05, 0.6)
        power = np.exp(mel)
        tail = scipy.signal.lfilter([0, wet * (1 - keep)], [1, -keep], power, axis=0)
        return np.log(power + tail)

    def noisy(self, mel, least: float, most: float):
        """Noise `least` to `most` decibels below the speech."""
        clip = self.noises[self.draw.randrange(len(self.noises))]
        first = self.draw.randrange(max(1, len(clip) - len(mel)))
        clip = np.resize(clip[first:], mel.shape) if len(clip) - first < len(mel) else clip[first : first + len(mel)]
        gap = np.log(np.exp(mel).mean()) - np.log(np.exp(clip).mean())
        return np.logaddexp(mel, clip + np.float32(gap - self.draw.uniform(least, most) / 10 * TEN_DECIBELS))

    def __call__(self, mel, phones, amount: float):
        """Normalised features and phonemes of one hearing of an utterance."""
        mel = mel.astype(np.float32)
        if amount:
            if self.draw.random() < 0.8:
                mel, phones = self.rhythm(mel, phones, amount)
            mel = self.voice(self.throat(mel, amount), amount)
            if self.draw.random() < 0.3 * amount:
                mel = self.room(mel, amount)
            # A microphone's own noise, and now and then the lobby's.
            mel = self.noisy(mel, 30, 70) if self.draw.random() > 0.45 * amount else self.noisy(mel, 6, 35)
            if self.draw.random() < 0.5:
                mel = mel + np.float32(0.15 * amount) * self.random.standard_normal(mel.shape, dtype=np.float32)
        return features.normalise(np.maximum(mel, FLOOR)).astype(np.float32), phones

    def silence(self):
        """Noise without a word."""
        clip = self.noises[self.draw.randrange(len(self.noises))]
        first = self.draw.randrange(len(clip) - 400)
        mel = clip[first : first + self.draw.randint(50, 400)] - np.float32(self.draw.uniform(0, 8))
        return features.normalise(np.maximum(mel, FLOOR))

    def hide(self, mel, amount: float):
        """Hides bands and moments in place (SpecAugment, Park et al. 2019)."""
        for _ in range(2):
            width, first = self.draw.randint(0, round(12 * amount)), self.draw.randint(0, 79)
            mel[:, first : first + width] = 0
        for _ in range(max(1, len(mel) // 150)):
            width, first = self.draw.randint(0, round(10 * amount)), self.draw.randint(0, len(mel))
            mel[first : first + width] = 0
        return mel
