# Only for the kiosk's distro: its own chrony.conf, which names no server of the internet.
FILESEXTRAPATHS:prepend:linly-kiosk := "${THISDIR}/files:"
