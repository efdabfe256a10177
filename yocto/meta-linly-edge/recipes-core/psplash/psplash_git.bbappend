# The receptionist's own face from the first second, without a bar.
FILESEXTRAPATHS:prepend:linly-kiosk := "${LINLY_EDGE_CHECKOUT}/avatar:"
SPLASH_IMAGES:linly-kiosk = "file://portrait.png;outsuffix=default"
PACKAGECONFIG:remove:linly-kiosk = "progress-bar"
