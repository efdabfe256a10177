"""Pictures for the camera and from the screen, without a library: PNG, scaling, YUYV."""

import pathlib
import struct
import zlib


class Picture:
    """`width` times `height` pixels of three bytes, red first."""

    def __init__(self, width, height, pixels):
        self.width, self.height, self.pixels = width, height, bytes(pixels)

    def at(self, x, y):
        """Red, green and blue of a pixel."""
        start = (y * self.width + x) * 3
        return tuple(self.pixels[start : start + 3])

    def fitted(self, width, height):
        """As large as fits into `width` times `height`, in the middle of grey; nearest pixels will do."""
        scale = min(width / self.width, height / self.height)
        inner, tall = int(self.width * scale), int(self.height * scale)
        left, top = (width - inner) // 2, (height - tall) // 2
        columns = [int(x / scale) * 3 for x in range(inner)]
        rows = [bytes([96, 96, 96]) * width] * height
        for y in range(tall):
            start = int(y / scale) * self.width * 3
            row = self.pixels[start : start + self.width * 3]
            line = b"".join([row[x : x + 3] for x in columns])
            rows[top + y] = rows[0][: left * 3] + line + rows[0][: (width - left - inner) * 3]
        return Picture(width, height, b"".join(rows))

    def yuyv(self):
        """As cameras send it: two pixels in four bytes, BT.601, limited range."""
        sent = bytearray(self.width * self.height * 2)
        red, green, blue = self.pixels[0::3], self.pixels[1::3], self.pixels[2::3]
        sent[0::2] = bytes([(66 * r + 129 * g + 25 * b + 128 >> 8) + 16 for r, g, b in zip(red, green, blue)])
        pairs = list(zip(red[0::2], green[0::2], blue[0::2]))
        sent[1::4] = bytes([(-38 * r - 74 * g + 112 * b + 128 >> 8) + 128 for r, g, b in pairs])
        sent[3::4] = bytes([(112 * r - 94 * g - 18 * b + 128 >> 8) + 128 for r, g, b in pairs])
        return bytes(sent)


def empty_room(width, height):
    """A wall, a floor, and nobody."""
    wall = [bytes([150 + 40 * y // height, 150 + 30 * y // height, 140]) for y in range(height * 3 // 4)]
    rows = [colour * width for colour in wall] + [bytes([90, 70, 50]) * width] * (height - len(wall))
    return Picture(width, height, b"".join(rows))


def read_png(path):
    """A PNG of eight bits a channel that is not interlaced, its alpha dropped."""
    data = pathlib.Path(path).read_bytes()
    position, packed, head = 8, b"", None
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        body = data[position + 8 : position + 8 + length]
        position += length + 12
        if kind == b"IHDR":
            head = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed += body
    width, height, depth, colour, _, _, interlaced = head
    channels = {0: 1, 2: 3, 4: 2, 6: 4}.get(colour)
    if depth != 8 or interlaced or channels is None:
        raise ValueError(f"{path}: depth {depth}, colour type {colour}, interlacing {interlaced} is not read here")
    raw, line = zlib.decompress(packed), width * channels
    before, rows = bytearray(line), []
    for start in range(0, height * (line + 1), line + 1):
        before = _unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + line]), before, channels)
        rows.append(before)
    pixels = b"".join(rows)
    if channels < 3:
        grey = pixels[0::channels]
        red = green = blue = grey
    else:
        red, green, blue = (pixels[channel::channels] for channel in range(3))
    mixed = bytearray(width * height * 3)
    mixed[0::3], mixed[1::3], mixed[2::3] = red, green, blue
    return Picture(width, height, mixed)


def _unfiltered(kind, row, before, step):
    """A row as it was before PNG's filter `kind` made it easier to compress."""
    if kind == 1:
        for i in range(step, len(row)):
            row[i] = row[i] + row[i - step] & 255
    elif kind == 2:
        for i, above in enumerate(before):
            row[i] = row[i] + above & 255
    elif kind == 3:
        for i, above in enumerate(before):
            left = row[i - step] if i >= step else 0
            row[i] = row[i] + (left + above) // 2 & 255
    elif kind == 4:
        for i, above in enumerate(before):
            left, corner = (row[i - step], before[i - step]) if i >= step else (0, 0)
            guess = left + above - corner
            a, b, c = abs(guess - left), abs(guess - above), abs(guess - corner)
            row[i] = row[i] + (left if a <= b and a <= c else above if b <= c else corner) & 255
    return row
