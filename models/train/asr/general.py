"""The general English word model that Debian's `pocketsphinx-en-us` brings (BSD-2-Clause), read into arrays.

Its file is sphinxbase's trie: the words of a group stand from the last to the first, so that all contexts of a word
lie together; probabilities are quantised to 16 bits, everything is packed to the bit.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

PATH = Path("/usr/share/pocketsphinx/model/en-us/en-us.lm.bin")
# What its licence wants to stand beside what is made of it.
NOTICE = """Made with the general English word model of CMU Sphinx (pocketsphinx-en-us), whose licence says:

Copyright 1995-2014 Carnegie Mellon University, 2014-2015 Alpha Cephei Inc. All rights reserved.

Redistribution and use in source and binary forms, with or without modification, are permitted provided that the
following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this list of conditions and the following
   disclaimer.

2. Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the following
   disclaimer in the documentation and/or other materials provided with the distribution.

This work was supported in part by funding from the Defense Advanced Research Projects Agency and the National Science
Foundation of the United States of America, and the CMU Sphinx Speech Consortium.

THIS SOFTWARE IS PROVIDED BY CARNEGIE MELLON UNIVERSITY ``AS IS'' AND ANY EXPRESSED OR IMPLIED WARRANTIES, INCLUDING, BUT
NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT
SHALL CARNEGIE MELLON UNIVERSITY NOR ITS EMPLOYEES BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR
CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, DATA, OR
PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE
POSSIBILITY OF SUCH DAMAGE.
"""
MAGIC = b"Trie Language Model"
LEVELS = 1 << 16
# Its logarithms have this base.
UNIT = np.log(1.0001)


def _bits(most: int) -> int:
    return max(1, int(most).bit_length())


def _fields(memory: np.ndarray, records: int, widths: list[int]) -> list[np.ndarray]:
    """The columns of a table whose records have fields of `widths` bits."""
    begin, columns = np.arange(records, dtype=np.int64) * sum(widths), []
    for width in widths:
        eight = np.zeros(records, np.uint64)
        for byte in range(8):
            eight |= memory[(begin >> 3) + byte].astype(np.uint64) << np.uint64(8 * byte)
        columns.append((eight >> (begin & 7).astype(np.uint64)) & np.uint64((1 << width) - 1))
        begin += width
    return [column.astype(np.int64) for column in columns]


def read(path: Path = PATH):
    """Words; then for each order groups (n, order), first word first, natural probabilities, and backoffs."""
    data = path.read_bytes()
    assert data.startswith(MAGIC)
    order, place = data[len(MAGIC)], len(MAGIC) + 1
    assert order == 3
    counts = np.frombuffer(data, "<u4", order, place).astype(int)
    place += 4 * order + 4
    tables = np.frombuffer(data, "<f4", 3 * LEVELS, place).reshape(3, LEVELS) * UNIT
    place += 12 * LEVELS
    single = np.frombuffer(data, [("p", "<f4"), ("left", "<f4"), ("next", "<u4")], counts[0] + 1, place)
    place += single.nbytes
    word_bits, next_bits = _bits(counts[0]), _bits(counts[2])
    middle_bits = word_bits + 32 + next_bits
    middle_bytes = ((1 + counts[1]) * middle_bits + 7) // 8 + 8
    longest_bytes = ((1 + counts[2]) * (word_bits + 16) + 7) // 8 + 8
    memory = np.frombuffer(data, np.uint8, middle_bytes + longest_bytes, place)
    context, value, following = _fields(memory, counts[1] + 1, [word_bits, 32, next_bits])
    older, rare = _fields(memory[middle_bytes:], counts[2], [word_bits, 16])
    words = data[place + len(memory) + 4 :].decode("latin-1").split("\0")[: counts[0]]
    last = np.repeat(np.arange(counts[0]), np.diff(single["next"].astype(np.int64)))
    following, value = following[: len(last) + 1], value[: len(last)]
    pairs = np.stack([context[: len(last)], last], 1)
    triples = np.concatenate([older[: following[-1], None], np.repeat(pairs, np.diff(following), 0)], 1)
    return (
        words, (single["p"][:-1] * UNIT, single["left"][:-1] * UNIT),
        (pairs, tables[0][value >> 16], tables[1][value & (LEVELS - 1)]), (triples, tables[2][rare[: len(triples)]]),
    )  # fmt: skip


if __name__ == "__main__":
    words, single, (pairs, p, left), (triples, q) = read()
    print(len(words), words[:5], words[-3:])
    for i in (5, 1000, 100000, 2000000):
        print([words[w] for w in pairs[i]], p[i], left[i])
    for i in (5, 1000, 100000, 1600000):
        print([words[w] for w in triples[i]], q[i])
