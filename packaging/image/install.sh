#!/bin/sh
# Called with the root of an image that is being made: installs the kiosk and makes its target the default.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$1
cp "$LINLY_IMAGE_PACKAGE" "$root/tmp/linly-edge.deb"
chroot "$root" dpkg --install /tmp/linly-edge.deb
rm "$root/tmp/linly-edge.deb"
chroot "$root" systemctl set-default linly-edge.target
chroot "$root" systemctl enable systemd-networkd
# Nobody logs in here; the console tells what the kernel says.
chroot "$root" systemctl mask getty@.service serial-getty@.service console-getty.service
echo kiosk >"$root/etc/hostname"
: >"$root/etc/machine-id"

# The emulated devices. Cards have names, so that the configuration finds them whatever their numbers are.
cat >"$root/etc/modules-load.d/kiosk.conf" <<'MODULES'
virtio_console
virtio_net
virtio_gpu
evdev
virtio_input
snd_hda_codec_generic
snd_hda_intel
snd_aloop
vivid
MODULES
cat >"$root/etc/modprobe.d/kiosk.conf" <<'OPTIONS'
options snd_hda_intel id=Speaker
options snd_aloop id=Loopback
options vivid n_devs=1 node_types=0x101 num_inputs=1 input_types=3 num_outputs=1 output_types=1
OPTIONS
cat >"$root/etc/systemd/network/kiosk.network" <<'NETWORK'
[Match]
Name=e*
[Network]
DHCP=yes
NETWORK
mkdir -p "$root/etc/linly-edge/config.d"
cp "$here/../../tests/devices/kiosk.toml" "$root/etc/linly-edge/config.d/image.toml"
# An emulated processor may need as many times longer for everything as it is slower.
mkdir -p "$root/etc/systemd/system/linly-edge.service.d"
printf '[Service]\nWatchdogSec=60s\n' >"$root/etc/systemd/system/linly-edge.service.d/emulated.conf"
# For tests: what the host asks for is run, where the host shares its folder.
cat >"$root/etc/systemd/system/agent.service" <<'UNIT'
[Unit]
Description=Runs what the test asks for
ConditionPathExists=/share/bin/agent
DefaultDependencies=no
After=systemd-modules-load.service
[Service]
ExecStart=/share/bin/agent
KillMode=process
[Install]
WantedBy=sysinit.target
UNIT
chroot "$root" systemctl enable agent.service
