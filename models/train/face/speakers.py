"""Free speech engines that say when each sound begins and ends: flite and espeak-ng (Debian packages)."""

import ctypes
import ctypes.util
import os
import subprocess
import tempfile

import numpy as np
import soundfile
from scipy.signal import resample_poly

from features import RATE
from visemes import from_espeak

FLITE = ("kal16", "awb", "rms", "slt")
ESPEAK = tuple(
    f"{accent}+{variant}" if variant else accent
    for accent, variant in [
        ("en-us", ""), ("en-us", "f1"), ("en-us", "m3"), ("en-us", "Andrea"), ("en-us", "belinda"), ("en-us", "Michael"),
        ("en-us", "linda"), ("en-us", "steph"), ("en", ""), ("en", "f2"), ("en", "m7"), ("en", "Alicia"),
        ("en", "edward"), ("en-gb-x-rp", "f4"), ("en-gb-x-rp", "john"), ("en-us", "klatt"), ("en-us", "klatt4"),
        ("en-us", "grandma"), ("en-gb-scotland", "paul"), ("en", "aunty"),
    ]
)


def flite(voice, text, stretch=1.0):
    """Speaks with flite: sound [samples] at 16 kHz, and [(name, start, end)] in seconds."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as wav:
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-psdur", "-t", text, "-o", wav.name]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        sound, rate = soundfile.read(wav.name)
    assert rate == RATE, f"{voice} speaks at {rate} Hz"
    sounds, start = [], 0.0
    for item in out.split():
        name, end = item.rsplit(":", 1)
        sounds.append((name, start, float(end)))
        start = float(end)
    return sound, sounds


# espeak-ng reports its sounds this much later than they are heard, in seconds: so the
# loudness of its voices and the mouth shapes agree as well as flite's do.
_ESPEAK_LATE = 0.020


class Espeak:
    """espeak-ng as a library, because only there it tells the times of its sounds."""

    # Event kinds of its C interface.
    END, PHONEME = 0, 7

    class _Event(ctypes.Structure):
        _fields_ = [
            ("type", ctypes.c_int), ("unique", ctypes.c_uint), ("text_position", ctypes.c_int), ("length", ctypes.c_int),
            ("audio_position", ctypes.c_int), ("sample", ctypes.c_int), ("user_data", ctypes.c_void_p), ("string", ctypes.c_char * 8),
        ]

    def __init__(self):
        self._library = ctypes.CDLL(ctypes.util.find_library("espeak-ng"))
        # 2: hand the sound over instead of playing it, before speaking returns; 1: report phonemes.
        self._rate = self._library.espeak_Initialize(2, 0, None, 1)
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(self._Event))
        self._callback = kind(self._take)
        self._library.espeak_SetSynthCallback(self._callback)

    def _take(self, samples, count, events):
        if samples and count > 0:
            self._sound.append(np.ctypeslib.as_array(samples, (count,)).copy())
        i = 0
        while events[i].type != self.END:
            if events[i].type == self.PHONEME:
                self._events.append((events[i].sample, events[i].string.decode("utf-8", "replace")))
            i += 1
        return 0

    def speak(self, voice, text, speed=165, pitch=50):
        """Speaks: sound [samples] at 16 kHz and [(name, start, end)] in seconds."""
        self._sound, self._events = [], []
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice!r}")
        self._library.espeak_SetParameter(1, int(speed), 0)
        self._library.espeak_SetParameter(3, int(pitch), 0)
        raw = text.encode() + b"\0"
        self._library.espeak_Synth(raw, len(raw), 0, 1, 0, 1, None, None)
        sound = np.concatenate(self._sound).astype(np.float64) / 32768
        ends = [sample for sample, _ in self._events[1:]] + [len(sound)]
        sounds = []
        for (start, name), end in zip(self._events, ends):
            if end <= start:
                continue
            parts = from_espeak(name)
            if parts is None:
                raise KeyError(f"espeak-ng's sound {name!r} is not in the table")
            start, width = start / self._rate - _ESPEAK_LATE, (end - start) / len(parts) / self._rate
            sounds += [(p, max(0.0, start + i * width), max(0.0, start + (i + 1) * width)) for i, p in enumerate(parts)]
        return resample_poly(sound, RATE, self._rate), sounds
