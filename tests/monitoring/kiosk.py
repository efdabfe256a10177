"""Kiosks that are not there: what a device serves under /metrics, from a model whose state a test changes.

Names and labels are those of docs/metrics.md for an Orin NX: about 300 series. Counters advance with the clock,
so that rates, compression and rules see what they would see of real devices.
"""

import asyncio
import gzip
import random
import time

FELT = [0.2, 0.4, 0.6, 0.8, 1.0, 1.6, 3.2]
STEP = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
PROMPT = [0.01, 0.02, 0.05, 0.1, 0.2]
PICTURE = [0.005, 0.01, 0.02, 0.04]
COMPUTING = [0.1, 0.3, 1.0, 3.0]
REST = [0.02, 0.05, 0.1, 0.2, 0.5]
SKEW = [0.02, 0.04, 0.08, 0.16]
GIB = 2**30
SENSORS = {"cpu": 52, "gpu": 50, "soc0": 49, "soc1": 48, "soc2": 49, "tj": 53, "cv0": 45, "cv1": 45, "cv2": 45}
RAILS = {"VDD_IN": (5.0, 11.0), "VDD_CPU_GPU_CV": (5.0, 5.0), "VDD_SOC": (5.0, 2.5)}
COOLERS = [f"{name}-throttle-alert" for name in ("cpu", "gpu", "cv0", "cv1", "cv2", "soc0", "soc1", "soc2", "hot-surface")]
COLLECTORS = ["board", "cpu", "fan", "gpu", "memory", "overcurrent", "peripherals", "power", "power_mode", "storage", "thermal"]

# Histograms: name, bounds, how many observations an answer makes, how long one takes.
HISTOGRAMS = [
    ("linly_talker_request_latency_seconds", FELT, 1, 0.45),
    ("linly_talker_first_lip_movement_seconds", FELT, 1, 0.5),
    ("linly_talker_asr_duration_seconds", COMPUTING, 1, 0.09),
    ("linly_talker_asr_finish_seconds", REST, 1, 0.03),
    ("linly_talker_llm_first_token_seconds", STEP, 1, 0.08),
    ("linly_talker_llm_duration_seconds", COMPUTING, 1, 0.4),
    ("linly_talker_tts_duration_seconds", STEP, 2, 0.15),
    ("linly_talker_face_animator_duration_seconds", PICTURE, 90, 0.008),
    ("linly_talker_picture_draw_seconds", PICTURE, 90, 0.007),
    ("linly_talker_hush_seconds", PROMPT, 0.1, 0.015),
    ("linly_talker_av_skew_seconds", SKEW, 90, 0.015),
]


class Kiosk:
    """One device. `levels` are gauges, `rates` what counters gain each second; both may be changed at any time."""

    def __init__(self, name, answers_a_second=0.02, clock=time.time, rng=None):
        rng = rng or random.Random(name)
        self.name, self.clock, self.answers_a_second = name, clock, answers_a_second
        self.types, self.levels, self.rates, self.counters, self.forms = {}, {}, {}, {}, {}
        # How many times slower than normal the steps are, and how many bytes a second leak.
        self.slowness, self.leak = 1.0, 0.0
        self.before = clock()
        # Has been up for a while, so that what had happened before is not news.
        self._describe(self.before, rng)
        for series, rate in self.rates.items():
            self.counters[series] = rate * rng.uniform(3600, 7200)
        for name, bounds, weight, _ in HISTOGRAMS:
            self.forms[name] = [0.0] * (len(bounds) + 1) + [0.0]

    def _family(self, name, kind):
        self.types.setdefault(name, kind)

    def gauge(self, series, value):
        self._family(series.partition("{")[0], "gauge")
        self.levels[series] = value

    def counter(self, series, rate):
        self._family(series.partition("{")[0], "counter")
        self.rates[series] = rate
        self.counters.setdefault(series, 0.0)

    def _describe(self, now, rng):
        t = "linly_talker_"
        self.gauge(t + 'build_info{arch="aarch64",revision="0123abc",version="0.1.0"}', 1)
        self.gauge(t + f'device_info{{model="Orin NX 16GB",module="p3767-0000",soc="tegra234",l4t="36.4.3",serial="{self.name}"}}', 1)
        self.gauge(t + 'os_info{image="linly-kiosk-image",kernel="5.15.148-tegra",version="1"}', 1)
        self.gauge(t + 'power_mode_info{mode="15W"}', 1)
        for model in ("asr", "llm", "tts", "face"):
            self.gauge(t + f'model_info{{backend="ort",model="{model}",name="starter-{model}",quantisation="int8 dynamic"}}', 1)
            self.gauge(t + f'gpu_memory_bytes{{model="{model}"}}', 64 * 2**20)
        for sensor, celsius in SENSORS.items():
            self.gauge(t + f'temperature_celsius{{sensor="{sensor}"}}', celsius + rng.uniform(-2, 2))
            self.gauge(t + f'thermal_sensor_readable{{sensor="{sensor}"}}', 1)
            if sensor != "tj":
                self.gauge(t + f'thermal_trip_celsius{{sensor="{sensor}",trip="passive"}}', 99)
            self.gauge(t + f'thermal_trip_celsius{{sensor="{sensor}",trip="critical"}}', 104.5)
        for device in COOLERS:
            self.gauge(t + f'cooling_device_state{{device="{device}"}}', 0)
            self.counter(t + f'throttled_seconds_total{{device="{device}"}}', 0)
        watts = 0
        for rail, (volts, power) in RAILS.items():
            self.gauge(t + f'rail_voltage_volts{{rail="{rail}"}}', volts)
            self.gauge(t + f'rail_current_amperes{{rail="{rail}"}}', power / volts)
            self.counter(t + f'rail_energy_joules_total{{rail="{rail}"}}', power * rng.uniform(0.9, 1.1))
            for limit in ("warn", "critical"):
                self.gauge(t + f'rail_current_limit_amperes{{limit="{limit}",rail="{rail}"}}', 4.0 if limit == "warn" else 5.0)
                self.gauge(t + f'rail_alarm{{limit="{limit}",rail="{rail}"}}', 0)
            watts = watts or power
        self.counter(t + "board_energy_joules_total", watts)
        self.gauge(t + "board_power_watts", watts)
        for event in ("oc1", "oc2", "oc3"):
            self.counter(t + f'overcurrent_events_total{{event="{event}"}}', 0)
        self.counter(t + "gpu_busy_seconds_total", rng.uniform(0.05, 0.2))
        self.gauge(t + "gpu_busy_ratio", 0.1)
        self.gauge(t + "gpu_frequency_hertz", 306e6)
        for limit, hertz in (("min", 306e6), ("max", 918e6)):
            self.gauge(t + f'gpu_frequency_limit_hertz{{limit="{limit}"}}', hertz)
        for policy in ("policy0", "policy4"):
            self.gauge(t + f'cpu_frequency_hertz{{policy="{policy}"}}', 1.5e9)
            self.gauge(t + f'cpu_frequency_limit_hertz{{policy="{policy}"}}', 2.0e9)
        for resource in ("cpu", "memory", "io"):
            self.counter(t + f'pressure_waiting_seconds_total{{resource="{resource}"}}', 0.02)
        for mode in ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"):
            self.counter(t + f'cpu_seconds_total{{mode="{mode}"}}', 7.0 if mode == "idle" else 0.14)
        self.gauge(t + "cpu_online", 8)
        self.gauge(t + "memory_size_bytes", 16 * GIB)
        self.gauge(t + "memory_available_bytes", 9 * GIB + rng.uniform(-1, 1) * GIB)
        self.gauge(t + "memory_nvmap_used_bytes", 3 * GIB)
        for name, value in (("swap_size", 8), ("swap_free", 8), ("cma_size", 0.7), ("cma_free", 0.6)):
            self.gauge(t + f"{name}_bytes", value * GIB)
        self.counter(t + "oom_kills_total", 0)
        self.counter(t + 'disk_written_bytes_total{disk="mmcblk0"}', 2000)
        self.gauge(t + "memory_allocated_bytes", 120 * 2**20)
        for mount in ("/", "/var"):
            self.gauge(t + f'filesystem_size_bytes{{mountpoint="{mount}"}}', 60 * GIB)
            self.gauge(t + f'filesystem_available_bytes{{mountpoint="{mount}"}}', 40 * GIB)
        self.gauge(t + 'emmc_wear_ratio{cells="a",disk="mmcblk0"}', 0.1)
        self.gauge(t + 'fan_duty_ratio{fan="pwm-fan"}', 0.3)
        self.gauge(t + 'fan_speed_rpm{fan="pwm-fan"}', 1800)
        for name, value in (("power_mode_id", 2), ("power_mode_desired_id", 2), ("clocks_locked", 0), ("boot_timestamp_seconds", now - 90000)):
            self.gauge(t + name, value)
        for kind in ("camera", "microphone", "loudspeaker", "display"):
            self.gauge(t + f'peripherals{{kind="{kind}"}}', 1)
        self.gauge(t + 'tls_certificate_expiry_timestamp_seconds{role="server"}', now + 90 * 86400)
        for collector in COLLECTORS:
            self.gauge(t + f'collector_success{{collector="{collector}"}}', 1)
            self.gauge(t + f'collector_duration_seconds{{collector="{collector}"}}', 0.001)
        self.gauge(t + "sample_timestamp_seconds", now)
        self.gauge(t + "stuck_stages", 0)
        self.gauge(t + "concurrent_sessions", 0)
        for link in ("chunks", "events", "sentences", "voices", "beats", "faces"):
            self.gauge(t + f'queue_depth{{link="{link}"}}', 0)
            self.counter(t + f'dropped_total{{link="{link}"}}', 0)
        for end, share in (("finished", 0.95), ("interrupted", 0.05), ("failed", 0), ("silent", 0.02)):
            self.counter(t + f'turns_total{{end="{end}"}}', share * self.answers_a_second)
        for step in ("asr", "llm", "tts", "face"):
            self.counter(t + f'failed_turns_total{{step="{step}"}}', 0)
            for status in ("ok", "failed", "stale", "refused"):
                self.counter(t + f'requests_total{{model="{step}",status="{status}"}}', self.answers_a_second if status == "ok" else 0)
        for name in ("sessions", "barge_ins", "false_interruptions", "speaker_underruns", "video_late_frames", "microphone_overruns", "series_dropped"):
            self.counter(t + name + "_total", 0)
        for reason in ("address", "connections", "password", "rate"):
            self.counter(t + f'http_refused_total{{reason="{reason}"}}', 0)
        self.counter(t + 'http_requests_total{code="200",route="/metrics"}', 1 / 30)
        self.counter("process_cpu_seconds_total", 0.05)
        self.gauge("process_resident_memory_bytes", 136e6)
        self.gauge("process_virtual_memory_bytes", 1.2e9)
        self.gauge("process_start_time_seconds", round(now - 80000 + rng.uniform(0, 100), 2))
        for name, value in (("open_fds", 40), ("max_fds", 1024)):
            self.gauge("process_" + name, value)

    def set(self, series, value):
        """Changes a level or a rate that exists, of a name with or without the prefix."""
        for full in (series, "linly_talker_" + series):
            if full in self.levels:
                self.levels[full] = value
                return
            if full in self.rates:
                self.rates[full] = value
                return
        raise KeyError(f"{series}: a kiosk serves no such series")

    def restart(self):
        """The program has just been started again: its counters begin at 0, except those of the kernel."""
        for series in self.counters:
            if "overcurrent" not in series and "_total" in series:
                self.counters[series] = 0.0
        for form in self.forms.values():
            form[:] = [0.0] * len(form)
        self.levels["process_start_time_seconds"] = self.clock()

    def advance(self):
        now = self.clock()
        passed, self.before = now - self.before, now
        for series, rate in self.rates.items():
            self.counters[series] += rate * passed
        answers = self.answers_a_second * passed
        for name, bounds, weight, seconds in HISTOGRAMS:
            form, seconds = self.forms[name], seconds * self.slowness
            for position, share in ((0.6, 0.5), (1.0, 0.4), (1.4, 0.1)):
                took, count = seconds * position, answers * weight * share
                for place, bound in enumerate(bounds):
                    if took <= bound:
                        form[place] += count
                form[-2] += count
                form[-1] += count * took
        self.levels["linly_talker_sample_timestamp_seconds"] = now if self.levels["linly_talker_sample_timestamp_seconds"] else 0
        if self.leak:
            self.levels["linly_talker_memory_available_bytes"] = max(0, self.levels["linly_talker_memory_available_bytes"] - self.leak * passed)
            self.levels["process_resident_memory_bytes"] += self.leak * passed

    def exposition(self):
        """What a scrape gets, in the text format 0.0.4."""
        self.advance()
        lines, previous = [], None
        for series, value in sorted((self.levels | self.counters).items(), key=lambda item: (item[0].partition("{")[0], item[0])):
            if value is None:
                continue
            name = series.partition("{")[0]
            if name != previous:
                lines.append(f"# TYPE {name} {self.types[name]}")
                previous = name
            lines.append(f"{series} {value:.10g}")
        for name, bounds, _, _ in HISTOGRAMS:
            form, model = self.forms[name], 'model="pipeline"' if "request_latency" in name else ""
            comma, braces = ("," if model else ""), ("{" + model + "}" if model else "")
            lines.append(f"# TYPE {name} histogram")
            for place, bound in enumerate([f"{bound:g}" for bound in bounds] + ["+Inf"]):
                lines.append(f'{name}_bucket{{{model}{comma}le="{bound}"}} {form[place]:.10g}')
            lines.append(f"{name}_sum{braces} {form[-1]:.10g}")
            lines.append(f"{name}_count{braces} {form[-2]:.10g}")
        return ("\n".join(lines) + "\n").encode()


class Packed(bytes):
    """An answer that has been gzipped already."""


class Peer(asyncio.Protocol):
    """Answers GETs, one after the other, on a connection that stays open."""

    def __init__(self, answer, peers):
        self.answer, self.peers, self.received = answer, peers, b""

    def connection_made(self, transport):
        self.transport = transport
        self.peers.add(self)

    def connection_lost(self, _):
        self.peers.discard(self)

    def data_received(self, data):
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, self.received = self.received.split(b"\r\n\r\n", 1)
            body = self.answer(head.split(b" ", 2)[1].decode())
            status, packed = (b"404 Not Found", b"") if body is None else (b"200 OK", body)
            encoding = b""
            if isinstance(body, Packed):
                packed, encoding = body, b"Content-Encoding: gzip\r\n"
            elif body and b"gzip" in head.lower():
                packed, encoding = gzip.compress(body, 1, mtime=0), b"Content-Encoding: gzip\r\n"
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n" + encoding
                + b"Content-Length: %d\r\n\r\n" % len(packed) + packed
            )


class Served:
    """A port that answers; `stop` closes it and every connection, as a device does that loses its power."""

    def __init__(self, answer, port=0, ssl=None):
        self.answer, self.port, self.ssl, self.peers, self.server = answer, port, ssl, set(), None

    async def start(self):
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(lambda: Peer(self.answer, self.peers), "127.0.0.1", self.port, ssl=self.ssl)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    def stop(self):
        self.server.close()
        for peer in list(self.peers):
            peer.transport.abort()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"
