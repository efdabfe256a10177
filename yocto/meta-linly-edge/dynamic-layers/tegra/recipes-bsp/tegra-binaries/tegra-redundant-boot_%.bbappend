# As it comes, whatever reaches multi-user.target counts as a good boot, and a kiosk that shows nothing is kept.
FILESEXTRAPATHS:prepend:linly-kiosk := "${THISDIR}/tegra-redundant-boot:"
SRC_URI:append:linly-kiosk = " file://10-boot-complete.conf"

do_install:append:linly-kiosk() {
    install -D -m 0644 ${UNPACKDIR}/10-boot-complete.conf \
        ${D}${systemd_system_unitdir}/nv_update_verifier.service.d/10-boot-complete.conf
}

FILES:${PN}:append:linly-kiosk = " ${systemd_system_unitdir}/nv_update_verifier.service.d"
