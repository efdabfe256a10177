"""A board of which only the files are there."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Tree:
    """The files of a board, unpacked from a fixture of the sensors' library, which a daemon reads as its own."""

    FIXTURE = ROOT / "crates" / "jetson-stats-rs" / "tests" / "fixtures" / "t234-nx-r39.2.tree"

    def __init__(self, folder, fixture=FIXTURE):
        self.folder = folder
        lines, at = fixture.read_text().splitlines(), 0
        while at < len(lines):
            line, at = lines[at], at + 1
            if not line.strip() or line.startswith("#"):
                continue
            path, _, content = line.partition(" = ")
            if content:
                ends = "" if content.endswith(("\\0", "\\c")) else "\n"
                self.set(path, content.removesuffix("\\c").replace("\\0", "\0").replace("\\n", "\n") + ends)
            elif " ! " in line:
                path, error = line.split(" ! ")
                self.set(f"{path}.errno", error)
            elif " -> " in line:
                path, target = line.split(" -> ")
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).symlink_to(target)
            else:
                block = []
                while at < len(lines) and lines[at].startswith("    "):
                    block.append(lines[at][4:] + "\n")
                    at += 1
                self.set(line.removesuffix(":"), "".join(block))

    def set(self, path, text):
        """Writes a file as a whole, so that nobody reads half of it."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        aside = place.with_name(place.name + ".new")
        aside.write_text(text)
        aside.rename(place)

    def heat(self, celsius, throttled):
        """Processor and board at a temperature, with the processor slowed down or not."""
        for zone in (0, 1, 8):
            self.set(f"sys/class/thermal/thermal_zone{zone}/temp", f"{round(celsius * 1000)}\n")
        self.set("sys/class/thermal/cooling_device0/cur_state", f"{int(throttled)}\n")

    def supply(self, volts):
        """The voltage of the input."""
        self.set("sys/class/hwmon/hwmon1/in1_input", f"{round(volts * 1000)}\n")
